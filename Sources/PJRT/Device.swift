internal import CPJRT

/// A device of a client: an accelerator, or a share of the CPU.
public struct Device: Sendable {
    /// Its number within the client.
    public let id: Int
    /// Its kind, as in `NVIDIA H100 80GB HBM3` or `cpu`.
    public let kind: String
    /// What the plugin says about it, for people.
    public let description: String

    /// The client that it belongs to.
    public let client: Client
    // As long as the client, which this value keeps alive.
    nonisolated(unsafe) let handle: OpaquePointer

    init(_ client: Client, _ handle: OpaquePointer) throws(PJRTError) {
        let table = client.table
        let api = table.api.pointee
        let about = try table.related(api.PJRT_Device_GetDescription, "Device_GetDescription", to: handle)
        var id = PJRT_Int_Args.make()
        id.handle = UnsafeMutableRawPointer(about)
        try table.call(api.PJRT_DeviceDescription_Id, "DeviceDescription_Id", &id)
        self.id = Int(id.value)
        kind = try table.text(api.PJRT_DeviceDescription_Kind, "DeviceDescription_Kind", of: about)
        description = try table.text(
            api.PJRT_DeviceDescription_DebugString, "DeviceDescription_DebugString", of: about)
        self.client = client
        self.handle = handle
    }

    /// How much of its memory is in use; nil where the plugin does not say, as on the CPU.
    public var memory: DeviceMemory? {
        let table = client.table
        var arguments = PJRT_Device_MemoryStats_Args.make()
        arguments.device = handle
        do throws(PJRTError) {
            try table.call(table.api.pointee.PJRT_Device_MemoryStats, "Device_MemoryStats", &arguments)
        } catch {
            return nil
        }
        return DeviceMemory(
            bytesInUse: Int(arguments.bytes_in_use),
            peakBytesInUse: arguments.peak_bytes_in_use_is_set ? Int(arguments.peak_bytes_in_use) : nil,
            bytesLimit: arguments.bytes_limit_is_set ? Int(arguments.bytes_limit) : nil,
            largestFreeBlock: arguments.largest_free_block_bytes_is_set
                ? Int(arguments.largest_free_block_bytes) : nil)
    }
}

/// What a device's allocator reports, in bytes.
public struct DeviceMemory: Sendable, Hashable {
    /// In use now.
    public var bytesInUse: Int
    /// The most that was in use.
    public var peakBytesInUse: Int?
    /// The most that may be used.
    public var bytesLimit: Int?
    /// The largest allocation that would succeed now.
    public var largestFreeBlock: Int?
}
