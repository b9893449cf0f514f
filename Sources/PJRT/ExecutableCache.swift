internal import Files
internal import Glibc
public import SystemPackage

/// Compiled programs kept on disk.
///
/// A file is found by a key over everything that decides what compiling gives: the program, the plugin, the device,
/// the processor, and the options. It starts with that key and with the digest of the rest, and is handed to a
/// plugin only when both hold, for a plugin may crash over a file that is damaged or another's.
public struct ExecutableCache: Sendable {
    /// Where the files are.
    public let folder: FilePath

    /// How a program was made ready.
    public enum Origin: Sendable, Hashable {
        /// It was loaded from the cache.
        case cache
        /// It was compiled.
        case compiler
    }

    /// Opens a cache, by default the folder `executables` of the cache folder.
    public init(folder: FilePath? = nil) {
        self.folder = folder ?? CacheFolder.path("executables")
    }

    /// Returns a program from the cache, or compiles and keeps it.
    ///
    /// A file that cannot be used is replaced. A program that cannot be kept is compiled again the next time.
    ///
    /// - Parameters:
    ///   - code: The program.
    ///   - format: The code's form.
    ///   - client: The client to load or compile it for.
    ///   - signature: What the program takes and gives.
    ///   - options: How to compile.
    ///   - willCompile: Called before compiling, which may take seconds or minutes.
    public func executable(
        _ code: UnsafeRawBufferPointer, format: ProgramFormat = .mlir, for client: Client, signature: Signature,
        options: CompileOptions = CompileOptions(), willCompile: () -> Void = {}
    ) throws(PJRTError) -> (executable: Executable, origin: Origin) {
        let key = try key(of: code, format: format, for: client, options: options)
        if let found = load(key, for: client, signature: signature) { return (found, .cache) }
        willCompile()
        let compiled = try client.compile(code, format: format, signature: signature, options: options)
        try? store(compiled, key)
        return (compiled, .compiler)
    }

    /// The key of a program: the SHA-256 digest, in hexadecimal, of all that decides what compiling it gives.
    public func key(
        of code: UnsafeRawBufferPointer, format: ProgramFormat = .mlir, for client: Client,
        options: CompileOptions = CompileOptions()
    ) throws(PJRTError) -> String {
        let device = try client.devices.first { options.device == nil || $0.id == options.device }
        let parts = [
            "pronghorn executable 1",
            Digest.sha256(code),
            format.rawValue,
            client.plugin.digest,
            client.platformName,
            client.platformVersion,
            device?.kind ?? "",
            "\(client.deviceHandles.count)",
            Processor.features,
            "\(Processor.usableCores)",
            Digest.sha256(options.serialized),
            getenv("XLA_FLAGS").map { String(cString: $0) } ?? "",
        ]
        return Digest.sha256(parts.joined(separator: "\u{0}"))
    }

    /// Returns the program of a key; nil where there is none that can be used.
    public func load(_ key: String, for client: Client, signature: Signature) -> Executable? {
        guard let file = try? MappedFile(path(key)) else { return nil }
        return file.withBytes { bytes in
            guard let payload = ExecutableFile.payload(of: bytes, key: key) else { return nil }
            return try? client.load(serialized: payload, signature: signature)
        }
    }

    /// Keeps a program under a key.
    public func store(_ executable: Executable, _ key: String) throws(PJRTError) {
        let payload = try executable.serialized()
        do {
            try Folder.create(folder)
            try AtomicFile.write(ExecutableFile.bytes(of: payload, key: key), to: path(key))
        } catch {
            throw PJRTError(.file, "cannot keep a compiled program in \(folder)", cause: error)
        }
    }

    func path(_ key: String) -> FilePath { folder.appending("\(key).xla") }
}

/// The layout of a file: a line that names the format, a line with the key, a line with the payload's digest, and
/// the payload.
private enum ExecutableFile {
    static let magic = "pronghorn-executable-1\n"
    static let headerSize = magic.utf8.count + 65 + 65

    static func header(_ key: String, _ digest: String) -> [UInt8] { Array("\(magic)\(key)\n\(digest)\n".utf8) }

    static func bytes(of payload: [UInt8], key: String) -> [UInt8] {
        header(key, Digest.sha256(payload)) + payload
    }

    static func payload(of bytes: UnsafeRawBufferPointer, key: String) -> UnsafeRawBufferPointer? {
        guard bytes.count > headerSize else { return nil }
        let payload = UnsafeRawBufferPointer(rebasing: bytes[headerSize...])
        // The cheap comparison first: another format or key needs no digest.
        guard bytes.starts(with: Array("\(magic)\(key)\n".utf8)),
            bytes.starts(with: header(key, Digest.sha256(payload)))
        else { return nil }
        return payload
    }
}

/// What of the processor decides how a program is compiled for it.
private enum Processor {
    /// The instruction sets, as the kernel lists them: a program that uses others ends in an illegal instruction.
    static let features = line(of: "/proc/cpuinfo", ["flags", "Features"])

    /// The cores that this thread may use: the compiler splits loops, and so sums, by their number.
    static var usableCores: Int {
        let mask = line(of: "/proc/thread-self/status", ["Cpus_allowed:"]).dropFirst("Cpus_allowed:".count)
        return mask.reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
    }

    /// The first line of a file that starts with one of these words.
    private static func line(of path: String, _ words: [String]) -> String {
        guard let file = fopen(path, "r") else { return "" }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer {
            free(line)
            fclose(file)
        }
        while getline(&line, &capacity, file) > 0, let line {
            let text = String(cString: line)
            if words.contains(where: { text.hasPrefix($0) }) { return text }
        }
        return ""
    }
}
