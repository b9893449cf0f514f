internal import CPJRT

extension Client {
    /// The alignment, in bytes, from which the CPU plugin reads host memory in place.
    public static let zeroCopyAlignment = 64

    /// Makes a buffer of a copy of host memory.
    ///
    /// - Parameters:
    ///   - bytes: The elements in row-major order.
    ///   - elementType: Their type.
    ///   - shape: The shape; none for a scalar.
    ///   - device: Where to; nil is the client's first device.
    public func buffer(
        copying bytes: UnsafeRawBufferPointer, type elementType: ElementType, shape: [Int], on device: Device? = nil
    ) throws(PJRTError) -> Buffer {
        // A small copy is cheapest during the call; for a large one, waiting for the transfer saves a staging copy.
        let semantics =
            bytes.count <= 65_536
            ? PJRT_HostBufferSemantics_OnlyDuringCall
            : PJRT_HostBufferSemantics_UntilTransferCompletes
        let type = TensorType(elementType, shape)
        let (buffer, event) = try transfer(bytes, type, semantics, device)
        do throws(PJRTError) {
            try table.await(event, of: "Client_BufferFromHostBuffer")
        } catch {
            table.release(table.api.pointee.PJRT_Buffer_Destroy, buffer)
            throw error
        }
        return Buffer(self, buffer, type)
    }

    /// Makes a buffer of a copy of an array's elements.
    public func buffer<Element: TensorElement>(
        _ elements: [Element], shape: [Int]? = nil, on device: Device? = nil
    ) throws(PJRTError) -> Buffer {
        try elements.span.withUnsafeBytes { (bytes) throws(PJRTError) in
            try buffer(copying: bytes, type: Element.elementType, shape: shape ?? [elements.count], on: device)
        }
    }

    /// Makes a buffer that reads host memory in place where it can, and copies otherwise.
    ///
    /// The CPU plugin reads memory in place that starts at a multiple of `zeroCopyAlignment`. The memory must then
    /// not change while the buffer lives; it may be read-only. Giving such a buffer to a program that would
    /// overwrite it is safe: the plugin copies.
    ///
    /// - Parameters:
    ///   - bytes: The elements in row-major order.
    ///   - owner: What keeps the memory in place. It is kept until the plugin has no more use of the memory.
    ///   - elementType: Their type.
    ///   - shape: The shape; none for a scalar.
    ///   - device: Where to; nil is the client's first device.
    public func buffer(
        borrowing bytes: UnsafeRawBufferPointer, owner: any AnyObject & Sendable, type elementType: ElementType,
        shape: [Int], on device: Device? = nil
    ) throws(PJRTError) -> Buffer {
        guard isCPU, bytes.count > 0, UInt(bitPattern: bytes.baseAddress) % UInt(Self.zeroCopyAlignment) == 0 else {
            defer { withExtendedLifetime(owner) {} }
            return try buffer(copying: bytes, type: elementType, shape: shape, on: device)
        }
        let type = TensorType(elementType, shape)
        let (handle, event) = try transfer(bytes, type, PJRT_HostBufferSemantics_ImmutableZeroCopy, device)
        let buffer = Buffer(self, handle, type)
        if let event { try Loan(owner, table, event).keepUntilDone() }
        return buffer
    }

    private func transfer(
        _ bytes: UnsafeRawBufferPointer, _ type: TensorType, _ semantics: Int, _ device: Device?
    ) throws(PJRTError) -> (buffer: OpaquePointer, done: OpaquePointer?) {
        guard type.shape.allSatisfy({ $0 >= 0 }), bytes.count == type.byteCount else {
            throw PJRTError(
                .invalidArgument, "\(bytes.count) bytes cannot become a buffer of \(type): \(type.byteCount) are needed"
            )
        }
        // The plugin refuses a null address even for a tensor without elements.
        return try withUnsafePointer(to: UInt64(0)) { (nothing) throws(PJRTError) in
            var arguments = PJRT_Client_BufferFromHostBuffer_Args.make()
            arguments.client = handle
            arguments.data = bytes.baseAddress ?? UnsafeRawPointer(nothing)
            arguments.type = type.elementType.code
            arguments.host_buffer_semantics = Int32(semantics)
            arguments.device = try handle(of: device)
            let dimensions = type.shape.map(Int64.init)
            try dimensions.withUnsafeBufferPointer { (dimensions) throws(PJRTError) in
                arguments.dims = dimensions.baseAddress
                arguments.num_dims = dimensions.count
                try table.call(
                    table.api.pointee.PJRT_Client_BufferFromHostBuffer, "Client_BufferFromHostBuffer", &arguments)
            }
            let buffer = try table.require(arguments.buffer, "Client_BufferFromHostBuffer")
            return (buffer, arguments.done_with_host_buffer)
        }
    }
}

/// Host memory lent to the plugin: it keeps the memory's owner until the plugin's event says that it is done.
///
/// It is handed to the plugin as a retained pointer and touched again only by the event's one callback, so that no
/// two threads ever use it at once.
private final class Loan: @unchecked Sendable {
    private let owner: any AnyObject & Sendable
    private let table: PluginTable
    private let event: OpaquePointer

    init(_ owner: any AnyObject & Sendable, _ table: PluginTable, _ event: OpaquePointer) {
        self.owner = owner
        self.table = table
        self.event = event
    }

    func keepUntilDone() throws(PJRTError) {
        let kept = Unmanaged.passRetained(self)
        var arguments = PJRT_Event_OnReady_Args.make()
        arguments.event = event
        arguments.user_arg = kept.toOpaque()
        arguments.callback = { error, loan in
            guard let loan else { return }
            let ended = Unmanaged<Loan>.fromOpaque(loan).takeRetainedValue()
            if let error { _ = ended.table.consume(error, of: "Client_BufferFromHostBuffer") }
            ended.table.release(ended.table.api.pointee.PJRT_Event_Destroy, ended.event)
        }
        // Where this fails, nobody will say when the memory may go, so its owner stays for good.
        try table.call(table.api.pointee.PJRT_Event_OnReady, "Event_OnReady", &arguments)
    }
}
