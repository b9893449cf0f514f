import Files
import SystemPackage

/// Text of fixed width from an NPY file, as NumPy saves lists of strings: `<U5`, `>U5` or `|S5`.
enum TextArray {
    /// The strings of a one-dimensional array, or `nil` when the file holds no text.
    static func read(_ path: FilePath) throws(FilesError) -> [String]? {
        let file = try MappedFile(path)
        return file.withBytes { bytes in
            guard let header = Header(bytes) else { return nil }
            return (0..<header.count).map { header.string(bytes, $0) }
        }
    }

    private struct Header {
        var count: Int
        /// Bytes an element.
        var width: Int
        var isUnicode: Bool
        var isBigEndian: Bool
        var start: Int

        /// Checks that the file holds all that its header declares.
        init?(_ bytes: UnsafeRawBufferPointer) {
            guard bytes.count >= 12, bytes.prefix(6).elementsEqual([0x93] + Array("NUMPY".utf8)) else { return nil }
            let long = bytes[6] > 1
            let length =
                long
                ? Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
                : Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt16.self)))
            let begin = long ? 12 : 10
            guard length <= bytes.count - begin else { return nil }
            start = begin + length
            let text = String(decoding: bytes[begin..<start], as: UTF8.self)
            guard let descr = Self.between("'descr': '", "'", in: text), descr.count >= 3,
                let shape = Self.between("'shape': (", ")", in: text)
            else { return nil }
            let kind = descr.dropFirst().first
            guard kind == "U" || kind == "S" || kind == "a", let characters = Int(descr.dropFirst(2)),
                (0...(1 << 24)).contains(characters)
            else { return nil }
            let dimensions = shape.split(separator: ",").map { Int($0.filter { $0 != " " }) ?? -1 }
            guard let rows = dimensions.first, rows >= 0, dimensions.dropFirst().allSatisfy({ $0 == 1 }) else {
                return nil
            }
            isUnicode = kind == "U"
            isBigEndian = descr.first == ">"
            width = characters * (isUnicode ? 4 : 1)
            count = rows
            let (size, overflow) = count.multipliedReportingOverflow(by: width)
            guard !overflow, size <= bytes.count - start else { return nil }
        }

        private static func between(_ before: String, _ after: Character, in text: String) -> Substring? {
            guard let start = text.firstRange(of: before)?.upperBound, let end = text[start...].firstIndex(of: after)
            else { return nil }
            return text[start..<end]
        }

        func string(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> String {
            let first = start + index * width
            guard isUnicode else {
                let element = bytes[first..<first + width]
                let end = element.lastIndex { $0 != 0 }.map { $0 + 1 } ?? first
                return String(decoding: bytes[first..<end], as: UTF8.self)
            }
            var scalars = String.UnicodeScalarView()
            for offset in stride(from: first, to: first + width, by: 4) {
                let raw = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
                let code = isBigEndian ? UInt32(bigEndian: raw) : UInt32(littleEndian: raw)
                if code == 0 { break }
                scalars.append(Unicode.Scalar(code) ?? "\u{FFFD}")
            }
            return String(scalars)
        }
    }
}
