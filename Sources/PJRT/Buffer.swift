internal import CPJRT

/// A tensor in a device's memory, owned by this value alone and freed with it.
///
/// Sharing it between threads is safe: there is one owner, and the plugin does its own locking.
public struct Buffer: ~Copyable, @unchecked Sendable {
    /// The client whose device holds it.
    public let client: Client
    /// Its element type and shape.
    public let type: TensorType

    // Nil once `release` gave it away, so that `deinit` leaves it alone.
    private var handle: OpaquePointer?

    init(_ client: Client, _ handle: OpaquePointer, _ type: TensorType) {
        self.client = client
        self.handle = handle
        self.type = type
    }

    deinit {
        client.table.release(client.table.api.pointee.PJRT_Buffer_Destroy, handle)
    }

    /// Gives the handle to a new owner.
    consuming func release() -> OpaquePointer? {
        let given = handle
        handle = nil
        return given
    }

    /// Copies the elements to memory of exactly their size, in row-major order, and waits for the copy.
    public func copyToHost(into destination: UnsafeMutableRawBufferPointer) throws(PJRTError) {
        try client.copyToHost(handle, type, into: destination)
    }

    /// The elements, copied, in row-major order.
    public func array<Element: TensorElement>(as element: Element.Type = Element.self) throws(PJRTError) -> [Element] {
        try client.array(handle, type, as: element)
    }

    /// Whether its memory was given to a program or deleted.
    public var isDeleted: Bool {
        get throws(PJRTError) { try client.isDeleted(handle) }
    }
}

extension Client {
    func copyToHost(
        _ buffer: OpaquePointer?, _ type: TensorType, into destination: UnsafeMutableRawBufferPointer
    ) throws(PJRTError) {
        guard destination.count == type.byteCount else {
            throw PJRTError(
                .invalidArgument,
                "a buffer of \(type) has \(type.byteCount) bytes; it cannot be copied to \(destination.count)")
        }
        guard try !isDeleted(buffer) else {
            throw PJRTError(.deleted, "a buffer of \(type) cannot be read: its memory was given to a program")
        }
        // A tensor without elements has nothing to copy, and the destination may have no address.
        guard let base = destination.baseAddress, destination.count > 0 else { return }
        var arguments = PJRT_Buffer_ToHostBuffer_Args.make()
        arguments.src = buffer
        arguments.dst = base
        arguments.dst_size = destination.count
        try table.call(table.api.pointee.PJRT_Buffer_ToHostBuffer, "Buffer_ToHostBuffer", &arguments)
        try table.await(arguments.event, of: "Buffer_ToHostBuffer")
    }

    func array<Element: TensorElement>(
        _ buffer: OpaquePointer?, _ type: TensorType, as element: Element.Type
    ) throws(PJRTError) -> [Element] {
        guard type.elementType == Element.elementType else {
            throw PJRTError(
                .invalidArgument, "a buffer of \(type) cannot be read as \(Element.elementType.rawValue)")
        }
        var failure: PJRTError?
        let elements = [Element](unsafeUninitializedCapacity: type.count) { memory, count in
            let exact = UnsafeMutableRawBufferPointer(start: memory.baseAddress, count: type.byteCount)
            do throws(PJRTError) {
                try copyToHost(buffer, type, into: exact)
                count = type.count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return elements
    }

    func isDeleted(_ buffer: OpaquePointer?) throws(PJRTError) -> Bool {
        guard let buffer else { return true }
        var arguments = PJRT_Bool_Args.make()
        arguments.handle = UnsafeMutableRawPointer(buffer)
        try table.call(table.api.pointee.PJRT_Buffer_IsDeleted, "Buffer_IsDeleted", &arguments)
        return arguments.value
    }
}
