import PJRT
import Testing

@testable import Programs

@Suite(.enabled(if: TestPlugin.isThere, "needs PRONGHORN_TEST_PLUGIN")) struct RowGatherTests {
    @Test("Rows arrive in their lanes, steps and places bit for bit, whatever the arrays' element types and shapes")
    func gathers() throws {
        let client = try TestPlugin.client
        var arrays = BufferList(client)
        let floats: [Float] = [0, 1, .nan, -0.0, 4, 5, .infinity, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]
        arrays.append(try client.buffer(floats, shape: [5, 2, 2]))
        arrays.append(try client.buffer([-1, -2, -3, -4, -5] as [Int32]))
        arrays.append(try client.buffer([0, 250, 1, 251, 2, 252, 3, 253, 4, 254] as [UInt8], shape: [5, 2]))
        arrays.append(try client.buffer([true, false, true, true, false]))
        let shape = RowGather.Shape(arrays: arrays.types, lanes: 2, steps: 1, rows: 3)
        let executable = try client.compile(mlir: RowGather.module(shape), signature: shape.signature)
        var numbers = BufferList(client)
        let rows: [Int32] = [4, 0, 1, 1, 1, 3]
        numbers.append(try client.buffer(rows, shape: [2, 1, 3]))
        let gathered = try executable.execute(arrays, numbers)
        #expect(
            gathered.types == [
                TensorType(.float32, [2, 1, 3, 2, 2]), TensorType(.int32, [2, 1, 3]), TensorType(.uint8, [2, 1, 3, 2]),
                TensorType(.bool, [2, 1, 3]),
            ])
        let taken = rows.flatMap { row in floats[Int(row) * 4..<Int(row) * 4 + 4] }
        let x: [Float] = try gathered.array(0)
        #expect(x.map(\.bitPattern) == taken.map(\.bitPattern))
        let y: [Int32] = try gathered.array(1)
        #expect(y == [-5, -1, -2, -2, -2, -4])
        let bytes: [UInt8] = try gathered.array(2)
        #expect(bytes == [4, 254, 0, 250, 1, 251, 1, 251, 1, 251, 3, 253])
        let flags: [Bool] = try gathered.array(3)
        #expect(flags == [false, true, false, false, false, true])
    }
}
