/// An accelerator, or a share of the CPU, that one runner holds.
public struct Device: Sendable, Hashable, Codable {
    /// Its name in this run: `cpu:0`, `cuda:1`.
    public var name: String
    /// What it is.
    public var kind: Kind
    /// Variables that the runner's environment must hold before the process starts, so that it sees this device only.
    public var environment: [String: String]
    /// The logical cores that the runner's threads should stay on.
    public var cores: [Int]
    /// Bytes of memory that a cohort may take: free on a GPU, this device's share of what is available on the CPU; nil where
    /// nobody says.
    public var memory: Int?

    /// Makes a device.
    public init(name: String, kind: Kind, environment: [String: String], cores: [Int], memory: Int?) {
        self.name = name
        self.kind = kind
        self.environment = environment
        self.cores = cores
        self.memory = memory
    }

    /// What a device is.
    public enum Kind: Sendable, Hashable, Codable {
        /// A share of the CPU: these logical cores.
        case cpu(cores: [Int])
        /// An NVIDIA GPU or an instance of one, by the name that CUDA knows it by and its number among the visible.
        case cuda(uuid: String, index: Int)
    }

    /// The name of the platform as PJRT has it: `cpu` or `cuda`.
    public var platform: String {
        switch kind {
        case .cpu: "cpu"
        case .cuda: "cuda"
        }
    }
}
