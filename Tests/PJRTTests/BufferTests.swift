import Files
import Glibc
import PJRT
import SystemPackage
import Testing

@Suite(.enabled(if: TestPlugin.isThere))
struct BufferTests {
    @Test("Values come back from a device as they went", arguments: [1, 1_000, 100_000])
    func roundTrip(count: Int) throws {
        let client = try TestPlugin.client
        let values = (0..<count).map { Float($0) * 0.5 }
        let buffer = try client.buffer(values, shape: [count, 1])
        #expect(buffer.type == TensorType(.float32, [count, 1]))
        #expect(try buffer.array(as: Float.self) == values)
    }

    @Test("Every element type keeps its bits through a program", arguments: ElementType.allCases)
    func elementTypes(elementType: ElementType) throws {
        let client = try TestPlugin.client
        let type = TensorType(elementType, [2, 3])
        let bytes = (0..<type.byteCount).map { UInt8(elementType == .bool ? $0 % 2 : $0) }
        let program = try client.compile(
            mlir: Programs.identity(type), signature: Signature(arguments: [type], results: [type]))
        var list = BufferList(client)
        list.append(
            try bytes.span.withUnsafeBytes { try client.buffer(copying: $0, type: elementType, shape: type.shape) })
        let results = try program.execute(list)
        var copy = [UInt8](repeating: 0xff, count: bytes.count)
        try copy.withUnsafeMutableBytes { try results.copyToHost(0, into: $0) }
        #expect(copy == bytes)
    }

    @Test("Scalars and tensors without elements can be made and read")
    func scalarsAndEmpty() throws {
        let client = try TestPlugin.client
        #expect(try client.buffer([Int32(7)], shape: []).array(as: Int32.self) == [7])
        #expect(try client.buffer([Float](), shape: [0, 3]).array(as: Float.self) == [])
    }

    @Test("Memory of the wrong size never reaches the plugin")
    func wrongSizes() throws {
        let client = try TestPlugin.client
        #expect(code { _ = try client.buffer([Float(1), 2], shape: [3]) } == .invalidArgument)
        #expect(code { _ = try client.buffer([Float(1), 2], shape: [-1, -2]) } == .invalidArgument)
        let buffer = try client.buffer([Float(1), 2])
        var small = [Float(0)]
        #expect(throws: PJRTError.self) { try small.withUnsafeMutableBytes { try buffer.copyToHost(into: $0) } }
        #expect(throws: PJRTError.self) { try buffer.array(as: Int32.self) }
    }

    @Test("A list gives out, takes and replaces tensors in order")
    func lists() throws {
        let client = try TestPlugin.client
        var list = try client.list([0], [1], [2], [3])
        let second = list.remove(at: 1)
        #expect(try second.array() == [Float(1)])
        var tail = list.removeSuffix(from: 2)
        #expect(list.count == 2)
        #expect(try tail.array(0) == [Float(3)])
        tail.append(second)
        tail.replace(at: 0, with: try client.buffer([Int32(9), 9]))
        list.append(contentsOf: tail)
        #expect(list.types.map(\.description) == ["float32[1]", "float32[1]", "int32[2]", "float32[1]"])
        #expect(try list.array(0) == [Float(0)])
        #expect(try list.array(1) == [Float(2)])
        #expect(try list.array(2) == [Int32(9), 9])
        #expect(try list.array(3) == [Float(1)])
        #expect(list.byteCount == 20)
    }

    @Test("A mapped file is read in place where it is aligned, and copied where not", arguments: [0, 64, 4, 32])
    func zeroCopy(offset: Int) throws {
        let client = try TestPlugin.client
        let path = temporaryFolder().appending("data")
        let values = (0..<100).map { Float($0) }
        try write(Array(repeating: UInt8(0), count: offset) + values.withUnsafeBytes { Array($0) }, to: path)
        let file = try MappedFile(path)
        let rows = UnsafeRawBufferPointer(rebasing: file.bytes[offset...])
        var list = BufferList(client)
        list.append(try client.buffer(borrowing: rows, owner: file, type: .float32, shape: [10, 10]))
        #expect(try list.array(0) == values)
        let inPlace = try list.withUnsafeBytes(0) { $0.baseAddress == rows.baseAddress }
        #expect(inPlace == offset.isMultiple(of: Client.zeroCopyAlignment))
    }

    @Test("Memory that was lent stays until the last buffer on it is gone, and no longer")
    func ownerOfLentMemory() throws {
        let client = try TestPlugin.client
        var memory: Lent? = Lent()
        weak let watched = memory
        var list = BufferList(client)
        if let memory {
            list.append(try client.buffer(borrowing: memory.bytes, owner: memory, type: .float32, shape: [4]))
        }
        memory = nil
        #expect(watched != nil)
        #expect(try list.array(0) == [Float(0), 0, 0, 0])
        _ = list.remove(at: 0)
        for _ in 0..<1_000 where watched != nil { usleep(1_000) }
        #expect(watched == nil)
    }

    @Test("A read-only file survives a program that writes over its arguments")
    func donatingLentMemory() throws {
        let client = try TestPlugin.client
        let path = temporaryFolder().appending("data")
        let bytes = [Float(1), 2, 3, 4].withUnsafeBytes { Array($0) }
        try write(bytes, to: path)
        let file = try MappedFile(path)
        let program = try client.compile(mlir: Programs.addInPlace, signature: Programs.addSignature)
        var state = BufferList(client)
        state.append(try client.buffer(borrowing: file.bytes, owner: file, type: .float32, shape: [4]))
        let results = try program.execute(donating: state, client.list([1, 1, 1, 1]))
        #expect(try results.array(0) == [Float(2), 3, 4, 5])
        #expect(try read(path) == bytes)
    }

    @Test("Ten thousand buffers leave no memory behind")
    func noLeak() throws {
        let client = try TestPlugin.client
        let values = [Float](repeating: 1, count: 16_384)
        let before = try residentBytes()
        for _ in 0..<100 {
            var list = BufferList(client)
            for _ in 0..<100 { list.append(try client.buffer(values)) }
        }
        // Kept, they would take 655 MB.
        #expect(try residentBytes() - before < 100_000_000)
    }
}

/// 64-byte aligned memory that is freed with its last owner.
private final class Lent: @unchecked Sendable {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 64)
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }

    init() { memory.initializeMemory(as: UInt8.self, repeating: 0) }
    deinit { memory.deallocate() }
}
