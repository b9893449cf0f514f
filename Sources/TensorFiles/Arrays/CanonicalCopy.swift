extension MappedArray {
    /// A copy of the elements as programs take them: little-endian, the last index varying fastest.
    public func canonicalBytes() -> [UInt8] {
        withBytes { source in
            if isCanonical { return Array(source) }
            return [UInt8](unsafeUninitializedCapacity: source.count) { target, count in
                let target = UnsafeMutableRawBufferPointer(target)
                switch dtype.size {
                case 1: copy(UInt8.self, source, target)
                case 2: copy(UInt16.self, source, target)
                case 4: copy(UInt32.self, source, target)
                default: copy(UInt64.self, source, target)
                }
                count = source.count
            }
        }
    }

    private func copy<Word: FixedWidthInteger & BitwiseCopyable>(
        _ type: Word.Type, _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer
    ) {
        let size = MemoryLayout<Word>.size
        let swapped = byteOrder == .big
        // Fortran order: the stride of a dimension is the product of those before it.
        var strides: [Int] = []
        if fortranOrder {
            var stride = size
            for dimension in shape {
                strides.append(stride)
                stride *= max(dimension, 1)
            }
        } else {
            var stride = size
            for dimension in shape.reversed() {
                strides.insert(stride, at: 0)
                stride *= max(dimension, 1)
            }
        }
        var index = [Int](repeating: 0, count: shape.count)
        var from = 0
        for to in stride(from: 0, to: source.count, by: size) {
            let word = source.loadUnaligned(fromByteOffset: from, as: Word.self)
            target.storeBytes(of: swapped ? word.byteSwapped : word, toByteOffset: to, as: Word.self)
            var dimension = shape.count - 1
            while dimension >= 0 {
                index[dimension] += 1
                from += strides[dimension]
                if index[dimension] < shape[dimension] { break }
                from -= strides[dimension] * shape[dimension]
                index[dimension] = 0
                dimension -= 1
            }
        }
    }
}
