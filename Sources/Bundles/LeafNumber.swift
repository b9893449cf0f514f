extension ProgramDescription.Leaf {
    /// A number as an element of the leaf, in little-endian bytes, rounded as NumPy rounds it; nil where the leaf holds none
    /// such.
    ///
    /// Keras makes an optimizer's learning rate of the type `keras.config.floatx()`, which is not always float32.
    public func bytes(of number: Double) -> [UInt8]? {
        func little(_ bits: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: bits.littleEndian, Array.init) }
        switch dtype {
        case "float64": return little(number.bitPattern)
        case "float32": return little(Float(number).bitPattern)
        case "float16": return little(Float16(number).bitPattern)
        case "bfloat16":
            let bits = Float(number).bitPattern
            if Float(number).isNaN { return little(UInt16(truncatingIfNeeded: bits >> 16) | 0x40) }
            // To the nearest, and of two as near to the even one; beyond the greatest that is infinity.
            return little(UInt16(truncatingIfNeeded: (bits + 0x7FFF + (bits >> 16 & 1)) >> 16))
        default: return nil
        }
    }

    /// Numbers as elements of the leaf, one after another; nil where the leaf holds none such.
    public func bytes(of numbers: [Double]) -> [UInt8]? {
        var all: [UInt8] = []
        for number in numbers {
            guard let bytes = bytes(of: number) else { return nil }
            all += bytes
        }
        return all
    }
}
