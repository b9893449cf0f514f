import TensorFiles

/// The number of the first element that is NaN, or `nil`.
///
/// Looks at the bits, a block at a time without a branch, so that a clean array costs little more than reading it.
func firstNaN(in bytes: UnsafeRawBufferPointer, dtype: DType) -> Int? {
    switch dtype {
    case .float16: search(bytes, UInt16.self, magnitude: 0x7FFF, infinity: 0x7C00)
    case .bfloat16: search(bytes, UInt16.self, magnitude: 0x7FFF, infinity: 0x7F80)
    case .float32: search(bytes, UInt32.self, magnitude: 0x7FFF_FFFF, infinity: 0x7F80_0000)
    case .float64: search(bytes, UInt64.self, magnitude: 0x7FFF_FFFF_FFFF_FFFF, infinity: 0x7FF0_0000_0000_0000)
    default: nil
    }
}

private func search<Bits: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: UnsafeRawBufferPointer, _ type: Bits.Type, magnitude: Bits, infinity: Bits
) -> Int? {
    let size = MemoryLayout<Bits>.size
    let count = bytes.count / size
    let block = 4096
    for start in stride(from: 0, to: count, by: block) {
        let end = min(start + block, count)
        var greatest: Bits = 0
        for element in start..<end {
            greatest = max(greatest, bytes.loadUnaligned(fromByteOffset: element * size, as: Bits.self) & magnitude)
        }
        guard greatest > infinity else { continue }
        for element in start..<end
        where bytes.loadUnaligned(fromByteOffset: element * size, as: Bits.self) & magnitude > infinity {
            return element
        }
    }
    return nil
}
