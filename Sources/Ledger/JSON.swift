extension ParameterValue {
    /// The value as JSON text; a number that is not finite becomes null, because JSON has no word for it.
    public var json: String {
        var text = ""
        write(to: &text)
        return text
    }

    func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .number(let value): text += value.isFinite ? "\(value)" : "null"
        case .text(let value): JSON.write(value, to: &text)
        case .list(let values):
            text += "["
            for (index, value) in values.enumerated() {
                if index > 0 { text += "," }
                value.write(to: &text)
            }
            text += "]"
        case .object(let parameters):
            text += "{"
            for (index, entry) in parameters.entries.enumerated() {
                if index > 0 { text += "," }
                JSON.write(entry.name, to: &text)
                text += ":"
                entry.value.write(to: &text)
            }
            text += "}"
        }
    }
}

/// The ledger's JSON.
///
/// Foundation's coders neither keep the order of keys nor write NaN as null, and cost too much for a metrics text an epoch.
enum JSON {
    static func write(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..<" ":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }

    static func parse(_ text: String) throws(Malformed) -> ParameterValue {
        var parser = Parser(bytes: Array(text.utf8))
        let value = try parser.value(depth: 0)
        guard parser.isAtEnd else { throw Malformed(offset: parser.position) }
        return value
    }

    /// A text that is no JSON, and where that shows.
    struct Malformed: Error, CustomStringConvertible {
        var offset: Int
        var description: String { "malformed JSON at byte \(offset)" }
    }

    struct Parser {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool {
            mutating get {
                skipSpace()
                return position == bytes.count
            }
        }

        private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

        private mutating func skipSpace() {
            while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
        }

        private mutating func take(_ byte: UInt8) throws(Malformed) {
            guard next == byte else { throw Malformed(offset: position) }
            position += 1
        }

        private mutating func take(word: StaticString) throws(Malformed) {
            for offset in 0..<word.utf8CodeUnitCount { try take(word.utf8Start[offset]) }
        }

        mutating func value(depth: Int) throws(Malformed) -> ParameterValue {
            // A text from a damaged file must not exhaust the stack.
            guard depth < 64 else { throw Malformed(offset: position) }
            skipSpace()
            switch next {
            case UInt8(ascii: "{"): return .object(try object(depth: depth))
            case UInt8(ascii: "["): return .list(try list(depth: depth))
            case UInt8(ascii: "\""): return .text(try string())
            case UInt8(ascii: "t"):
                try take(word: "true")
                return .bool(true)
            case UInt8(ascii: "f"):
                try take(word: "false")
                return .bool(false)
            case UInt8(ascii: "n"):
                try take(word: "null")
                return .null
            default: return try number()
            }
        }

        private mutating func object(depth: Int) throws(Malformed) -> Parameters {
            var entries: [Parameters.Entry] = []
            try take(UInt8(ascii: "{"))
            skipSpace()
            while next != UInt8(ascii: "}") {
                if !entries.isEmpty { try take(UInt8(ascii: ",")) }
                skipSpace()
                let name = try string()
                skipSpace()
                try take(UInt8(ascii: ":"))
                entries.append(.init(name, try value(depth: depth + 1)))
                skipSpace()
            }
            position += 1
            return Parameters(unchecked: entries)
        }

        private mutating func list(depth: Int) throws(Malformed) -> [ParameterValue] {
            var values: [ParameterValue] = []
            try take(UInt8(ascii: "["))
            skipSpace()
            while next != UInt8(ascii: "]") {
                if !values.isEmpty { try take(UInt8(ascii: ",")) }
                values.append(try value(depth: depth + 1))
                skipSpace()
            }
            position += 1
            return values
        }

        private mutating func number() throws(Malformed) -> ParameterValue {
            let start = position
            var isInteger = true
            while let byte = next {
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
                case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"): isInteger = false
                default: return try number(from: start, isInteger: isInteger)
                }
                position += 1
            }
            return try number(from: start, isInteger: isInteger)
        }

        private func number(from start: Int, isInteger: Bool) throws(Malformed) -> ParameterValue {
            let text = String(decoding: bytes[start..<position], as: UTF8.self)
            if isInteger, let value = Int(text) { return .integer(value) }
            guard let value = Double(text) else { throw Malformed(offset: start) }
            return .number(value)
        }

        private mutating func string() throws(Malformed) -> String {
            try take(UInt8(ascii: "\""))
            let start = position
            while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { position += 1 }
            var text = String(decoding: bytes[start..<position], as: UTF8.self)
            while let byte = next {
                position += 1
                if byte == UInt8(ascii: "\"") { return text }
                if byte == UInt8(ascii: "\\") {
                    text.unicodeScalars.append(try escape())
                } else {
                    let start = position - 1
                    while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { position += 1 }
                    text += String(decoding: bytes[start..<position], as: UTF8.self)
                }
            }
            throw Malformed(offset: position)
        }

        private mutating func escape() throws(Malformed) -> Unicode.Scalar {
            guard let byte = next else { throw Malformed(offset: position) }
            position += 1
            switch byte {
            case UInt8(ascii: "n"): return "\n"
            case UInt8(ascii: "r"): return "\r"
            case UInt8(ascii: "t"): return "\t"
            case UInt8(ascii: "b"): return "\u{8}"
            case UInt8(ascii: "f"): return "\u{C}"
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
            case UInt8(ascii: "u"): break
            default: throw Malformed(offset: position - 1)
            }
            let high = try hexadecimal()
            if let scalar = Unicode.Scalar(high) { return scalar }
            // Beyond the basic plane a scalar is two escapes, UTF-16's surrogates.
            try take(word: "\\u")
            let low = try hexadecimal()
            guard (0xD800..<0xDC00).contains(high), (0xDC00..<0xE000).contains(low),
                let scalar = Unicode.Scalar(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
            else { throw Malformed(offset: position) }
            return scalar
        }

        private mutating func hexadecimal() throws(Malformed) -> UInt32 {
            guard position + 4 <= bytes.count,
                let value = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
            else { throw Malformed(offset: position) }
            position += 4
            return value
        }
    }
}
