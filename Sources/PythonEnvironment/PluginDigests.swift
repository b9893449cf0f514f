/// The SHA-256 digests of the plugins that the pinned packages bring, taken from the wheels on PyPI.
struct PluginDigests: Sendable {
    /// The digest that the CPU plugin must have.
    var cpu: String?
    /// The digests of the CUDA plugins, for the version of JAX that they are pinned for.
    var cuda: [CUDAPlugin: String]
    /// The version of JAX that ``cuda`` is about; the plugins of another version are taken as they come.
    var jax: String

    /// Where the CPU plugin lies in a `site-packages` folder.
    static let cpuFile = "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so"

    #if arch(arm64)
        /// `xla-cpu-pjrt` 0.0.1 and `jax-cuda*-pjrt` 0.10.2, Linux on aarch64.
        static let pinned = PluginDigests(
            cpu: "fcf411f3e8ff635c2b2cf87215aa7016f460e66d236c3db08309e7486583532d",
            cuda: [
                .cuda13: "bf07d68eafbf05fd25a5f8f692e57178755a5c33b80bc9779897ab2ee8b9d0e8",
                .cuda12: "456608e38d73b94d8d7974fb65a46a666d76f651278f04992a377601b17d0fa2",
            ], jax: "0.10.2")
    #else
        /// `xla-cpu-pjrt` 0.0.1 and `jax-cuda*-pjrt` 0.10.2, Linux on x86_64.
        static let pinned = PluginDigests(
            cpu: "88c3f28c5900f48ad4a82cab9e79bba9537809743395e341485f8794268820dc",
            cuda: [
                .cuda13: "4443b8c89bd43923dcb895efc95058c65682de1724ec5a66854a96d4731e4228",
                .cuda12: "bb8f2dbb4eed2c5d3a128d919f651069f803dac809719c7cda8254aba20bfdce",
            ], jax: "0.10.2")
    #endif
}
