internal import CPJRT
internal import Files
internal import Glibc
internal import Synchronization
public import SystemPackage

/// A PJRT plugin: the shared library that compiles and runs programs on one kind of device.
///
/// A plugin is loaded once a process and never closed.
public final class Plugin: Sendable {
    /// The file it was loaded from.
    public let path: FilePath
    /// The SHA-256 digest of that file, in lower-case hexadecimal.
    public let digest: String
    /// The version of the interface that it speaks.
    public let version: (major: Int, minor: Int)
    /// What it says about itself, such as `xla_version` and `stablehlo_current_version`.
    public let attributes: [String: OptionValue]

    let table: PluginTable

    /// The newest StableHLO version that it reads, as in `1.13.3`; nil where it does not say.
    public var stableHLOVersion: String? {
        guard case .int64List(let parts) = attributes["stablehlo_current_version"] else { return nil }
        return parts.map(String.init).joined(separator: ".")
    }

    /// The interface version whose argument structs are declared here; an older plugin was never tried.
    static let oldestMinorVersion = 81

    private static let loaded = Mutex<[FilePath: Plugin]>([:])

    /// Loads a plugin, or returns the one loaded from this path before.
    ///
    /// The file's digest is taken before the file is opened, for the dynamic linker kills the process over a
    /// truncated one. It is remembered as long as the file does not change.
    ///
    /// - Parameters:
    ///   - path: The shared library.
    ///   - digest: The SHA-256 digest that the file must have, in hexadecimal; nil accepts any file.
    ///   - stamps: Where digests are remembered; by default in the cache folder.
    public static func load(
        _ path: FilePath, expecting digest: String? = nil, stamps: FilePath? = nil
    ) throws(PJRTError) -> Plugin {
        try loaded.withLock { (plugins) throws(PJRTError) in
            let plugin: Plugin
            if let known = plugins[path] {
                try check(known.digest, of: path, against: digest)
                plugin = known
            } else {
                let found = try PluginDigest(folder: stamps ?? CacheFolder.path("plugins")).digest(of: path)
                try check(found, of: path, against: digest)
                plugin = try Plugin(path, digest: found)
                plugins[path] = plugin
            }
            return plugin
        }
    }

    private static func check(_ found: String, of path: FilePath, against expected: String?) throws(PJRTError) {
        guard let expected, expected.lowercased() != found else { return }
        throw PJRTError(
            .digestMismatch,
            "the plugin \(path) has the SHA-256 digest \(found) where \(expected) was expected; "
                + "it was not opened: install it again, or name the right file")
    }

    private init(_ path: FilePath, digest: String) throws(PJRTError) {
        // A bare name would send the dynamic linker searching its own folders.
        let file = path.isAbsolute ? path.string : "./\(path.string)"
        guard let library = dlopen(file, RTLD_NOW | RTLD_LOCAL) else {
            throw PJRTError(.pluginMissing, "cannot open the plugin \(path): \(Self.linkerMessage())")
        }
        guard let symbol = dlsym(library, "GetPjrtApi") else {
            throw PJRTError(.pluginMissing, "\(path) is a library but no PJRT plugin: it has no symbol GetPjrtApi")
        }
        guard let api = unsafeBitCast(symbol, to: PJRT_GetApi.self)() else {
            throw PJRTError(.incompatible, "the plugin \(path) has no function table for this process")
        }
        let version = (
            major: Int(api.pointee.pjrt_api_version.major_version),
            minor: Int(api.pointee.pjrt_api_version.minor_version)
        )
        guard version.major == 0, version.minor >= Self.oldestMinorVersion else {
            throw PJRTError(
                .incompatible,
                "the plugin \(path) speaks PJRT \(version.major).\(version.minor); "
                    + "0.\(Self.oldestMinorVersion) or a later 0.x is needed")
        }
        guard api.pointee.struct_size >= MemoryLayout<PJRT_Api>.size else {
            throw PJRTError(
                .incompatible,
                "the plugin \(path) has a function table of \(api.pointee.struct_size) bytes; "
                    + "at least \(MemoryLayout<PJRT_Api>.size) are needed: use a newer plugin")
        }
        table = PluginTable(api: api)
        var initialize = PJRT_Plugin_Initialize_Args.make()
        try table.call(api.pointee.PJRT_Plugin_Initialize, "Plugin_Initialize", &initialize)
        self.path = path
        self.digest = digest
        self.version = version
        attributes = try Self.attributes(of: table)
    }

    private static func attributes(of table: PluginTable) throws(PJRTError) -> [String: OptionValue] {
        var arguments = PJRT_Plugin_Attributes_Args.make()
        try table.call(table.api.pointee.PJRT_Plugin_Attributes, "Plugin_Attributes", &arguments)
        var found: [String: OptionValue] = [:]
        for attribute in UnsafeBufferPointer(start: arguments.attributes, count: arguments.num_attributes) {
            guard let value = OptionValue(attribute) else { continue }
            found[string(attribute.name, attribute.name_size)] = value
        }
        return found
    }

    private static func linkerMessage() -> String {
        dlerror().map { String(cString: $0) } ?? "the dynamic linker gave no reason"
    }
}
