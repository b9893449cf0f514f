/// What the managed environment must hold besides Pronghorn's own pinned packages.
public struct Requirements: Sendable, Hashable {
    /// The user's own requirements, each a line as `pip` reads it: `pandas>=2`.
    public var further: [String]
    /// The accelerators that need a plugin besides the CPU's.
    public var accelerators: [Accelerator]

    /// Makes requirements.
    public init(further: [String] = [], accelerators: [Accelerator] = []) {
        self.further = further
        self.accelerators = accelerators
    }

    /// A kind of accelerator that this machine has.
    public enum Accelerator: Sendable, Hashable {
        /// An NVIDIA GPU with a driver of this version, such as `580.65.06`.
        case cuda(driver: String)
    }
}

/// JAX's plugins for NVIDIA GPUs, by the CUDA that they bring.
enum CUDAPlugin: String, Sendable, CaseIterable {
    case cuda13
    case cuda12

    /// The plugin for a driver: CUDA 13 needs driver 580, CUDA 12 needs 525 (NVIDIA's CUDA Compatibility, "Minor Version Compatibility").
    init(driver: String) throws(PythonEnvironmentError) {
        switch Int(driver.prefix(while: \.isNumber)) ?? 0 {
        case 580...: self = .cuda13
        case 525...: self = .cuda12
        default:
            throw PythonEnvironmentError(
                code: .driverTooOld,
                message: "the NVIDIA driver is version \(driver), which no CUDA plugin supports; "
                    + "install driver 580 or later (525 is the least), or train with --devices cpu")
        }
    }

    /// Whether it works with a driver.
    func fits(driver: String) -> Bool {
        (Int(driver.prefix(while: \.isNumber)) ?? 0) >= (self == .cuda13 ? 580 : 525)
    }

    /// The requirement that brings the plugin and NVIDIA's libraries, for a version of JAX.
    func requirement(jax: String) -> String { "jax-\(rawValue)-plugin[with-cuda]==\(jax)" }

    /// Where the plugin lies in a `site-packages` folder; its search path for NVIDIA's libraries starts from there.
    var file: String { "jax_plugins/xla_\(rawValue)/xla_cuda_plugin.so" }

    /// Where XLA finds `libdevice` and `ptxas` in a `site-packages` folder (its option `xla_gpu_cuda_data_dir`).
    var dataFolder: String { self == .cuda13 ? "nvidia/cu13" : "nvidia/cuda_nvcc" }
}
