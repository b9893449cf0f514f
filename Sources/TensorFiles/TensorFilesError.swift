import Files
import SystemPackage

/// What is wrong with a file of tensors, or with what was to be written to one.
public struct TensorFilesError: Error, Sendable, CustomStringConvertible {
    /// A kind of failure that a caller may want to tell from the others.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, as in `not_this_format`.
        public let description: String

        private init(_ name: String) { description = name }

        /// The file could not be read or written; the cause is a `FilesError`.
        public static let file = Code("file")
        /// The file is of another format than the one expected.
        public static let notThisFormat = Code("not_this_format")
        /// The file is shorter than it says it is.
        public static let truncated = Code("truncated")
        /// The file contradicts itself or its format.
        public static let malformed = Code("malformed")
        /// The file is right but holds something that is not supported here, such as Python objects.
        public static let unsupported = Code("unsupported")
        /// The contents disagree with their checksum or digest.
        public static let damaged = Code("damaged")
        /// The file does not hold what was asked for.
        public static let notFound = Code("not_found")
        /// What was to be written, or where, makes no sense.
        public static let invalid = Code("invalid")
    }

    /// The kind of failure.
    public var code: Code
    /// What happened, to what, and what to do.
    public var message: String
    /// The error that led to this one.
    public var cause: (any Error)?

    /// Makes an error.
    public init(code: Code, message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message.
    public var description: String { message }

    init(_ code: Code, _ path: FilePath, _ message: String) {
        self.init(code: code, message: "\(path): \(message)")
    }

    init(_ error: FilesError) {
        self.init(code: .file, message: error.message, cause: error)
    }

    /// An error from a closure that may throw anything, as this module's.
    static func wrapping(_ error: any Error, _ path: FilePath) -> TensorFilesError {
        switch error {
        case let error as TensorFilesError: error
        case let error as FilesError: TensorFilesError(error)
        default: TensorFilesError(code: .file, message: "\(path): \(error)", cause: error)
        }
    }
}

extension MappedFile {
    /// Maps a file, its failure told as this module's error.
    static func open(_ path: FilePath) throws(TensorFilesError) -> MappedFile {
        do {
            return try MappedFile(path)
        } catch {
            throw TensorFilesError(error)
        }
    }
}

/// Text from a file, cut and with control characters shown, so that it can stand in a message.
func shown(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars.prefix(80) {
        result += scalar.value < 32 || scalar.value == 127 ? scalar.escaped(asASCII: true) : String(scalar)
    }
    return text.unicodeScalars.count > 80 ? result + "…" : result
}
