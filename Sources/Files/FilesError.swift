public import SystemPackage

/// What went wrong with a file or a folder.
public struct FilesError: Error, Sendable, CustomStringConvertible {
    /// A kind of failure that a caller may want to tell from the others.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, as in `disk_full`.
        public let description: String

        private init(_ name: String) { description = name }

        /// There is nothing at the path.
        public static let notFound = Code("not_found")
        /// This user may not do that to the path.
        public static let notPermitted = Code("not_permitted")
        /// The disk or the user's quota is full.
        public static let diskFull = Code("disk_full")
        /// Something else stands where a file (or a folder) was expected.
        public static let wrongKind = Code("wrong_kind")
        /// Another process holds the lock.
        public static let locked = Code("locked")
        /// The system refused for another reason, which the message gives.
        public static let system = Code("system")
    }

    /// The kind of failure.
    public var code: Code
    /// What happened, to what, and what to do.
    public var message: String
    /// The path that it happened to.
    public var path: FilePath
    /// The system's error, when there is one.
    public var cause: (any Error)?

    /// Makes an error.
    public init(code: Code, message: String, path: FilePath, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.path = path
        self.cause = cause
    }

    /// The message.
    public var description: String { message }

    /// An error that says what was tried (`write`, `open`), on which path, and what the system answered.
    init(_ action: String, _ path: FilePath, _ errno: Errno) {
        var advice = ""
        switch errno {
        case .noSuchFileOrDirectory:
            code = .notFound
        case .permissionDenied, .notPermitted, .readOnlyFileSystem:
            code = .notPermitted
        case .noSpace:
            code = .diskFull
            advice = "; the disk is full, free some space or choose another folder"
        case .diskQuotaExceeded:
            code = .diskFull
            advice = "; the disk quota is used up, free some space or choose another folder"
        case .isDirectory, .notDirectory:
            code = .wrongKind
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem:
            code = .system
            advice = "; raise the limit of open files (ulimit -n)"
        default:
            code = .system
        }
        message = "cannot \(action) \(path): \(errno)\(advice)"
        self.path = path
        cause = errno
    }
}
