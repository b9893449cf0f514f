internal import CPJRT

/// Tensors in a device's memory, in order, owned by this value alone and freed with it.
///
/// The arguments and results of programs are such lists: for a handful of tensors or hundreds, a call costs one
/// array, not an object for each.
///
/// Sharing it between threads is safe: there is one owner, and the plugin does its own locking.
public struct BufferList: ~Copyable, @unchecked Sendable {
    /// The client whose device holds the tensors.
    public let client: Client
    /// Their element types and shapes, in order.
    public private(set) var types: [TensorType]

    private(set) var handles: [OpaquePointer?]

    /// Makes an empty list.
    public init(_ client: Client) {
        self.client = client
        types = []
        handles = []
    }

    init(_ client: Client, _ handles: [OpaquePointer?], _ types: [TensorType]) {
        self.client = client
        self.handles = handles
        self.types = types
    }

    deinit {
        client.destroy(handles)
    }

    /// How many tensors it holds.
    public var count: Int { handles.count }

    /// Whether it holds none.
    public var isEmpty: Bool { handles.isEmpty }

    /// The bytes of all its tensors.
    public var byteCount: Int { types.reduce(0) { $0 + $1.byteCount } }

    /// Adds a tensor at the end.
    public mutating func append(_ buffer: consuming Buffer) {
        precondition(buffer.client === client, "a buffer of another client cannot join the list")
        types.append(buffer.type)
        handles.append(buffer.release())
    }

    /// Adds the tensors of another list at the end.
    public mutating func append(contentsOf other: consuming BufferList) {
        precondition(other.client === client, "buffers of another client cannot join the list")
        types.append(contentsOf: other.types)
        handles.append(contentsOf: other.release())
    }

    /// Puts a tensor in the place of another, which is freed.
    public mutating func replace(at index: Int, with buffer: consuming Buffer) {
        precondition(buffer.client === client, "a buffer of another client cannot join the list")
        client.destroy([handles[index]])
        types[index] = buffer.type
        handles[index] = buffer.release()
    }

    /// Puts two tensors each in the other's place.
    public mutating func swapAt(_ first: Int, _ second: Int) {
        types.swapAt(first, second)
        handles.swapAt(first, second)
    }

    /// Takes a tensor out; those behind it move up.
    public mutating func remove(at index: Int) -> Buffer {
        let type = types.remove(at: index)
        guard let handle = handles.remove(at: index) else {
            preconditionFailure("a buffer list holds no empty places")
        }
        return Buffer(client, handle, type)
    }

    /// Takes the tensors from an index on out, as a list of their own.
    public mutating func removeSuffix(from index: Int) -> BufferList {
        let suffix = BufferList(client, Array(handles[index...]), Array(types[index...]))
        handles.removeSubrange(index...)
        types.removeSubrange(index...)
        return suffix
    }

    /// Copies a tensor's elements to memory of exactly their size, in row-major order, and waits for the copy.
    public func copyToHost(_ index: Int, into destination: UnsafeMutableRawBufferPointer) throws(PJRTError) {
        try client.copyToHost(handles[index], types[index], into: destination)
    }

    /// A tensor's elements, copied, in row-major order.
    public func array<Element: TensorElement>(
        _ index: Int, as element: Element.Type = Element.self
    ) throws(PJRTError) -> [Element] {
        try client.array(handles[index], types[index], as: element)
    }

    /// Reads a tensor's elements in place, in row-major order, where the device's memory is this process's.
    ///
    /// The memory must not be used after `body` has returned.
    public func withUnsafeBytes<Result>(
        _ index: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        guard client.isCPU else {
            throw PJRTError(.unsupported, "memory of \(client.platformName) cannot be read in place; copy it")
        }
        guard try !client.isDeleted(handles[index]), let handle = handles[index] else {
            throw PJRTError(.deleted, "a buffer of \(types[index]) cannot be read: its memory was given to a program")
        }
        let table = client.table
        var arguments = PJRT_Related_Args.make()
        arguments.handle = UnsafeMutableRawPointer(handle)
        try table.call(table.api.pointee.PJRT_Buffer_UnsafePointer, "Buffer_UnsafePointer", &arguments)
        return try body(UnsafeRawBufferPointer(start: arguments.related, count: types[index].byteCount))
    }

    /// Whether a tensor's memory was given to a program or deleted.
    public func isDeleted(_ index: Int) throws(PJRTError) -> Bool {
        try client.isDeleted(handles[index])
    }

    /// Gives the handles to a new owner.
    consuming func release() -> [OpaquePointer?] {
        let given = handles
        handles = []
        return given
    }
}

extension Client {
    /// Frees buffers; those whose memory is gone have a handle to free still.
    func destroy(_ buffers: [OpaquePointer?]) {
        let destroy = table.api.pointee.PJRT_Buffer_Destroy
        for buffer in buffers { table.release(destroy, buffer) }
    }
}
