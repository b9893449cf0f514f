/// Reads the one Python literal that an NPY header is, without evaluating anything.
struct LiteralScanner {
    /// Why the literal is not a header, and at which byte.
    struct Failure: Error {
        var position: Int
        var message: String
    }

    /// The element type: a string, or a list of fields, which is not looked into.
    enum Descr: Equatable {
        case text(String)
        case fields
    }

    /// The three entries of a header.
    struct Fields {
        var descr: Descr
        var fortranOrder: Bool
        var shape: [Int]
    }

    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func header() throws(Failure) -> Fields {
        var descr: Descr?
        var fortranOrder: Bool?
        var shape: [Int]?
        try expect("{")
        while !accept("}") {
            let start = position
            let key = try string()
            try expect(":")
            switch key {
            case "descr" where descr == nil:
                if peek() == UInt8(ascii: "[") || peek() == UInt8(ascii: "(") {
                    // Nothing after a structured type is of use: it is refused in any case.
                    return Fields(descr: .fields, fortranOrder: false, shape: [])
                }
                descr = .text(try string())
            case "fortran_order" where fortranOrder == nil: fortranOrder = try boolean()
            case "shape" where shape == nil: shape = try tuple()
            default: throw Failure(position: start, message: "the key \"\(shown(key))\" is unexpected here")
            }
            if !accept(",") {
                try expect("}")
                break
            }
        }
        guard peek() == nil else { throw failure("there is text after the header") }
        guard let descr, let fortranOrder, let shape else {
            throw failure("descr, fortran_order or shape is missing")
        }
        return Fields(descr: descr, fortranOrder: fortranOrder, shape: shape)
    }

    private func failure(_ message: String) -> Failure { Failure(position: position, message: message) }

    /// The next byte that is not white space, or nil at the end.
    private mutating func peek() -> UInt8? {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || (0x09...0x0d).contains(byte) else { return byte }
            position += 1
        }
        return nil
    }

    private mutating func accept(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Failure) {
        guard accept(character) else { throw failure("\"\(character)\" is expected") }
    }

    private mutating func string() throws(Failure) -> String {
        guard let quote = peek(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
            throw failure("a string is expected")
        }
        let start = position + 1
        position = start
        while position < bytes.count, bytes[position] != quote {
            guard bytes[position] != UInt8(ascii: "\\") else { throw failure("escapes are not expected") }
            position += 1
        }
        guard position < bytes.count else { throw failure("a string does not end") }
        defer { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func boolean() throws(Failure) -> Bool {
        _ = peek()
        for (word, value) in [("True", true), ("False", false)] {
            if let part = bytes.part(position, word.utf8.count), part.elementsEqual(word.utf8) {
                position += word.utf8.count
                return value
            }
        }
        throw failure("True or False is expected")
    }

    private mutating func tuple() throws(Failure) -> [Int] {
        try expect("(")
        var numbers: [Int] = []
        while !accept(")") {
            numbers.append(try dimension())
            // `NPYHeader` refuses so many; without a stop here a header of commas would grow without use.
            guard numbers.count <= 1 + NPYHeader.maximumRank else { throw failure("there are too many dimensions") }
            if !accept(",") {
                guard numbers.count != 1 else { throw failure("a comma is expected") }
                try expect(")")
                break
            }
        }
        return numbers
    }

    private mutating func dimension() throws(Failure) -> Int {
        guard peek() != UInt8(ascii: "-") else { throw failure("a dimension is negative") }
        var value = 0
        let start = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            let (scaled, first) = value.multipliedReportingOverflow(by: 10)
            let (sum, second) = scaled.addingReportingOverflow(Int(bytes[position] - UInt8(ascii: "0")))
            guard !first, !second else { throw failure("a dimension is larger than any memory") }
            value = sum
            position += 1
        }
        guard position > start else { throw failure("a number is expected") }
        // Python 2 wrote long integers so.
        if position < bytes.count, bytes[position] == UInt8(ascii: "L") { position += 1 }
        return value
    }
}
