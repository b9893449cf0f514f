/// What this machine has to train on, as far as this process may use it.
public struct Machine: Sendable, Hashable, Codable {
    /// The processor's cores and the memory.
    public var cpu: CPU
    /// Every NVIDIA GPU of the machine, in the order of the PCI bus, whether or not this process may use it.
    public var gpus: [GPU]
    /// The accelerators that this process may use, in the order in which `cuda:N` counts them.
    public var visible: [Accelerator]
    /// The inherited `CUDA_VISIBLE_DEVICES`, if it was set.
    public var visibleDevices: String?
    /// Why GPUs could not be listed although there are signs of some, or why a part of the list was left out.
    public var gpuProblem: String?

    /// Makes a description of a machine.
    public init(
        cpu: CPU, gpus: [GPU] = [], visible: [Accelerator] = [], visibleDevices: String? = nil,
        gpuProblem: String? = nil
    ) {
        self.cpu = cpu
        self.gpus = gpus
        self.visible = visible
        self.visibleDevices = visibleDevices
        self.gpuProblem = gpuProblem
    }

    /// The version of the NVIDIA driver, `580.65.06`, if there is one.
    public var driver: String? { gpus.first?.driver }
}

extension Machine {
    /// The processor.
    public struct CPU: Sendable, Hashable, Codable {
        /// The logical cores that this process may run on.
        public var cores: [Int]
        /// How many cores' worth of time the control group allows, if it limits it.
        public var quota: Double?
        /// The maker's name of the processor.
        public var model: String
        /// Bytes of memory that the machine (or the control group) has.
        public var memory: Int
        /// Bytes of memory that can be taken without swapping.
        public var memoryAvailable: Int

        /// Makes a description of a processor.
        public init(cores: [Int], quota: Double? = nil, model: String, memory: Int, memoryAvailable: Int) {
            self.cores = cores
            self.quota = quota
            self.model = model
            self.memory = memory
            self.memoryAvailable = memoryAvailable
        }

        /// How many runners of one core each can run at the same time: the cores, or fewer where a quota says so.
        public var runners: Int {
            guard let quota else { return max(1, cores.count) }
            return max(1, min(cores.count, Int(quota)))
        }
    }

    /// A whole NVIDIA GPU.
    public struct GPU: Sendable, Hashable, Codable {
        /// The number that `nvidia-smi` gives it: its place on the PCI bus.
        public var index: Int
        /// The name that stays its own across reboots, `GPU-…`.
        public var uuid: String
        /// The maker's name of it.
        public var name: String
        /// Bytes of memory; nil where the driver does not say.
        public var memoryTotal: Int?
        /// Bytes of memory that nobody uses now; nil where the driver does not say.
        public var memoryFree: Int?
        /// The version of the driver.
        public var driver: String
        /// Its address, as in `00000000:07:00.0`.
        public var pciBus: String
        /// Whether it is divided into instances, and can only be used by way of these.
        public var migEnabled: Bool
        /// Its instances, if it is divided.
        public var mig: [MIGInstance]
        /// The processes that compute on it now.
        public var processes: [GPUProcess]
        /// The logical cores that are nearest to it, of those that this process may use; empty where unknown.
        public var cores: [Int]

        /// Makes a description of a GPU.
        public init(
            index: Int, uuid: String, name: String, memoryTotal: Int?, memoryFree: Int?, driver: String,
            pciBus: String, migEnabled: Bool = false, mig: [MIGInstance] = [], processes: [GPUProcess] = [],
            cores: [Int] = []
        ) {
            self.index = index
            self.uuid = uuid
            self.name = name
            self.memoryTotal = memoryTotal
            self.memoryFree = memoryFree
            self.driver = driver
            self.pciBus = pciBus
            self.migEnabled = migEnabled
            self.mig = mig
            self.processes = processes
            self.cores = cores
        }
    }

    /// A part of a GPU that works like one of its own (NVIDIA's Multi-Instance GPU).
    public struct MIGInstance: Sendable, Hashable, Codable {
        /// Its number on its GPU.
        public var index: Int
        /// Its name, `MIG-…`.
        public var uuid: String
        /// How it was cut, as in `3g.40gb`.
        public var profile: String
        /// Bytes of memory: the driver's figure, or where it gives none, nine tenths of what the profile's name says.
        public var memoryTotal: Int?
        /// Bytes of memory that nobody uses now.
        public var memoryFree: Int?

        /// Makes a description of an instance.
        public init(index: Int, uuid: String, profile: String, memoryTotal: Int? = nil, memoryFree: Int? = nil) {
            self.index = index
            self.uuid = uuid
            self.profile = profile
            self.memoryTotal = memoryTotal
            self.memoryFree = memoryFree
        }
    }

    /// A process that computes on a GPU.
    public struct GPUProcess: Sendable, Hashable, Codable {
        /// The process's number.
        public var pid: Int
        /// Bytes of the GPU's memory that it holds; nil where the driver does not say.
        public var memory: Int?

        /// Makes a description of a process.
        public init(pid: Int, memory: Int?) {
            self.pid = pid
            self.memory = memory
        }
    }

    /// Something one runner can compute on: a GPU, or an instance of a divided one.
    public struct Accelerator: Sendable, Hashable, Codable {
        /// What `CUDA_VISIBLE_DEVICES` must say for a process to see only this.
        public var uuid: String
        /// The name for people, with the profile if it is an instance.
        public var name: String
        /// The number of the GPU that it is, or is a part of.
        public var gpu: Int
        /// Bytes of memory; nil where the driver does not say.
        public var memoryTotal: Int?
        /// Bytes of memory that nobody uses now; nil where the driver does not say.
        public var memoryFree: Int?
        /// How many processes of others compute on the GPU now.
        public var processes: Int
        /// The logical cores nearest to it, of those that this process may use; empty where unknown.
        public var cores: [Int]

        /// Makes the accelerator that a whole GPU is.
        public init(_ gpu: GPU) {
            uuid = gpu.uuid
            name = gpu.name
            self.gpu = gpu.index
            memoryTotal = gpu.memoryTotal
            memoryFree = gpu.memoryFree
            processes = gpu.processes.count
            cores = gpu.cores
        }

        /// Makes the accelerator that an instance of a divided GPU is.
        public init(_ instance: MIGInstance, of gpu: GPU) {
            uuid = instance.uuid
            name = "\(gpu.name) MIG \(instance.profile)"
            self.gpu = gpu.index
            memoryTotal = instance.memoryTotal
            memoryFree = instance.memoryFree ?? instance.memoryTotal
            // The driver lists processes by GPU only, so it is not known which instance they use.
            processes = 0
            cores = gpu.cores
        }
    }
}
