import Files
public import SystemPackage

/// A Python that can describe Keras models, and the plugins that train them.
public struct Python: Sendable, Hashable {
    /// The interpreter to start.
    public var interpreter: FilePath
    /// Names the environment: another one when its packages are others.
    public var key: String
    /// The version of Python, `3.12.4`.
    public var version: String
    /// The folder that holds its packages.
    public var sitePackages: FilePath
    /// The folder that holds the package `pronghorn.lowering`; ``environment`` has it on Python's path.
    public var toolFolder: FilePath
    /// The CPU's plugin.
    public var plugin: PluginFile
    /// The plugin for NVIDIA GPUs, if one was required.
    public var cudaPlugin: PluginFile?
    /// The folder that XLA's option `xla_gpu_cuda_data_dir` must name, where it is known.
    public var cudaDataFolder: FilePath?
    /// The whole environment of the process to start: nothing else is to be inherited.
    public var environment: [String: String]

    /// Makes a description of a Python.
    public init(
        interpreter: FilePath, key: String, version: String, sitePackages: FilePath, toolFolder: FilePath,
        plugin: PluginFile, cudaPlugin: PluginFile? = nil, cudaDataFolder: FilePath? = nil,
        environment: [String: String]
    ) {
        self.interpreter = interpreter
        self.key = key
        self.version = version
        self.sitePackages = sitePackages
        self.toolFolder = toolFolder
        self.plugin = plugin
        self.cudaPlugin = cudaPlugin
        self.cudaDataFolder = cudaDataFolder
        self.environment = environment
    }
}

extension Python {
    /// The same Python, whose processes find further variables; what is cached for it is kept apart by their values.
    public func passing(_ variables: [String: String]) -> Python {
        if variables.isEmpty { return self }
        var python = self
        python.environment.merge(variables) { $1 }
        let text = variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "\u{0}")
        python.key += "+" + Digest.sha256(text).prefix(16)
        return python
    }
}

/// A PJRT plugin, and the digest that its file must have when it is opened.
public struct PluginFile: Sendable, Hashable {
    /// The shared library.
    public var path: FilePath
    /// The SHA-256 digest of the file, in lower-case hexadecimal digits.
    public var sha256: String

    /// Makes a description of a plugin.
    public init(path: FilePath, sha256: String) {
        self.path = path
        self.sha256 = sha256
    }
}
