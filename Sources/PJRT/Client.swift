internal import CPJRT

/// A plugin's runtime: devices, and what compiles programs and makes buffers for them.
///
/// Buffers and executables keep their client alive. All calls may come from any thread, as the interface allows.
public final class Client: Sendable {
    /// The plugin it belongs to.
    public let plugin: Plugin
    /// The platform's name: `cpu`, `cuda`, `rocm`, `tpu`.
    public let platformName: String
    /// What the platform says about its version.
    public let platformVersion: String

    let table: PluginTable
    // Valid until `deinit`; the plugin does its own locking behind it.
    nonisolated(unsafe) let handle: OpaquePointer
    nonisolated(unsafe) let deviceHandles: [OpaquePointer]

    /// Whether its devices' memory is this process's memory.
    public var isCPU: Bool { platformName == "cpu" }

    /// Starts a plugin's runtime.
    ///
    /// - Parameters:
    ///   - plugin: The plugin.
    ///   - options: The plugin's own options, such as `cpu_device_count` (int64) of the CPU plugin.
    public init(_ plugin: Plugin, options: [String: OptionValue] = [:]) throws(PJRTError) {
        // The CPU plugin takes an option of another type for a broken promise, and ends the process.
        if let count = options["cpu_device_count"] {
            guard case .int64(let number) = count, number > 0 else {
                throw PJRTError(.invalidArgument, "the client option cpu_device_count must be a positive int64")
            }
        }
        let table = plugin.table
        let named = NamedValues(options)
        let handle = try named.values.withUnsafeBufferPointer { (values) throws(PJRTError) in
            var arguments = PJRT_Client_Create_Args.make()
            arguments.create_options = values.baseAddress
            arguments.num_options = values.count
            try table.call(table.api.pointee.PJRT_Client_Create, "Client_Create", &arguments)
            return try table.require(arguments.client, "Client_Create")
        }
        do throws(PJRTError) {
            let api = table.api.pointee
            platformName = try table.text(api.PJRT_Client_PlatformName, "Client_PlatformName", of: handle)
            platformVersion = try table.text(api.PJRT_Client_PlatformVersion, "Client_PlatformVersion", of: handle)
            var devices = PJRT_List_Args.make()
            devices.handle = UnsafeMutableRawPointer(handle)
            try table.call(api.PJRT_Client_AddressableDevices, "Client_AddressableDevices", &devices)
            deviceHandles = Array(
                UnsafeBufferPointer(
                    start: devices.elements?.assumingMemoryBound(to: OpaquePointer.self), count: devices.count))
            guard !deviceHandles.isEmpty else {
                throw PJRTError(.unsupported, "the plugin \(plugin.path) found no device")
            }
        } catch {
            table.release(table.api.pointee.PJRT_Client_Destroy, handle)
            throw error
        }
        self.plugin = plugin
        self.table = table
        self.handle = handle
    }

    deinit {
        table.release(table.api.pointee.PJRT_Client_Destroy, handle)
    }

    /// The devices that this process can use, in the plugin's order.
    public var devices: [Device] {
        get throws(PJRTError) {
            var devices: [Device] = []
            for handle in deviceHandles { devices.append(try Device(self, handle)) }
            return devices
        }
    }

    /// The handle of a device, or of the first one.
    func handle(of device: Device?) throws(PJRTError) -> OpaquePointer {
        guard let device else { return deviceHandles[0] }
        guard device.client === self else {
            throw PJRTError(.invalidArgument, "the device \(device.id) belongs to another client")
        }
        return device.handle
    }
}
