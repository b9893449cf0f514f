/// An epoch's metrics as the ledger keeps them: one JSON object, so that SQLite's own functions can read it too.
///
/// NaN is null, as SQLite has it; an infinity is a number too large for a double, which every reader of doubles takes for one.
enum MetricValues {
    typealias Pair = (name: String, value: Double)

    static func encode(_ pairs: [Pair]) -> String {
        Columns(pairs.map(\.name)).encode { pairs[$0].value }
    }

    /// Metrics' names, escaped once for the many trials that report the same ones.
    struct Columns {
        private let keys: [String]

        init(_ names: [String]) {
            keys = names.map { name in
                var key = ""
                JSON.write(name, to: &key)
                return key + ":"
            }
        }

        func encode(_ value: (Int) -> Double) -> String {
            var text = "{"
            for index in keys.indices {
                if index > 0 { text += "," }
                text += keys[index]
                let value = value(index)
                if value.isFinite {
                    text += "\(value)"
                } else if value.isNaN {
                    text += "null"
                } else {
                    text += value > 0 ? "9e999" : "-9e999"
                }
            }
            return text + "}"
        }

        /// Whether a text of `encode` holds exactly these names in this order, found without reading its numbers.
        func areThose(of text: String) -> Bool {
            var rest = text.utf8[...]
            for (index, key) in keys.enumerated() {
                guard rest.popFirst() == (index == 0 ? UInt8(ascii: "{") : UInt8(ascii: ",")),
                    rest.starts(with: key.utf8)
                else { return false }
                rest = rest.dropFirst(key.utf8.count)
                while let byte = rest.first, byte != UInt8(ascii: ","), byte != UInt8(ascii: "}") {
                    rest = rest.dropFirst()
                }
            }
            return rest.elementsEqual("}".utf8)
        }
    }

    static func decode(_ text: String) throws(JSON.Malformed) -> [Pair] {
        guard case .object(let object) = try JSON.parse(text) else { throw JSON.Malformed(offset: 0) }
        var pairs: [Pair] = []
        pairs.reserveCapacity(object.entries.count)
        for entry in object.entries {
            switch entry.value {
            case .number(let value): pairs.append((entry.name, value))
            case .integer(let value): pairs.append((entry.name, Double(value)))
            case .null: pairs.append((entry.name, .nan))
            default: throw JSON.Malformed(offset: 0)
            }
        }
        return pairs
    }

    /// Keras's order: the training metrics before those of validation, the loss first of each.
    static func ordered(_ names: some Sequence<String>) -> [String] {
        func rank(_ name: String) -> (Int, Int, String) {
            let bare = name.hasPrefix("val_") ? String(name.dropFirst(4)) : name
            return (bare == name ? 0 : 1, bare == "loss" ? 0 : 1, bare)
        }
        return names.sorted { rank($0) < rank($1) }
    }

    /// `older` with the values of `newer` in place of its own: validation may happen less often than training.
    static func merge(_ older: [Pair], _ newer: [Pair]) -> [Pair] {
        var values: [String: Double] = [:]
        for pair in older + newer { values[pair.name] = pair.value }
        return ordered(values.keys).map { ($0, values[$0] ?? .nan) }
    }
}
