import Bundles
import Testing

@Suite struct LeafNumberTests {
    // Printed by NumPy and ml_dtypes: numpy.asarray(x, dtype).tobytes().hex()
    @Test(
        "A learning rate is in its leaf what Keras would have there, whatever the type of its floats",
        arguments: [
            ("float64", 0.1, [0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0x3f]),
            ("float32", 0.1, [0xcd, 0xcc, 0xcc, 0x3d]), ("float16", 0.1, [0x66, 0x2e]),
            ("bfloat16", 0.1, [0xcd, 0x3d]), ("bfloat16", 0.01, [0x24, 0x3c]), ("bfloat16", -1.00390625, [0x80, 0xbf]),
            ("bfloat16", 1.01171875, [0x82, 0x3f]), ("bfloat16", 3.4e38, [0x80, 0x7f]),
        ] as [(String, Double, [UInt8])])
    func bytes(dtype: String, number: Double, bytes: [UInt8]) throws {
        var leaf = try description().state[1]
        leaf.dtype = dtype
        #expect(leaf.bytes(of: number) == bytes)
        #expect(leaf.bytes(of: [number, number]) == bytes + bytes)
    }

    @Test("A leaf of whole numbers takes none")
    func whole() throws {
        #expect(try description().state[1].bytes(of: 1) == nil)
        #expect(try description().state[1].bytes(of: [1, 2]) == nil)
    }
}
