/// A value of an experiment file with its key and where it stands.
struct Field: Sendable {
    /// What the value is.
    indirect enum Content: Sendable {
        /// Text, and whether it stood there without quotes, so that it may be a number, true, false or null.
        case scalar(String, plain: Bool)
        case list([Field])
        /// Keys in the order of the file.
        case mapping([(key: String, value: Field)])
    }

    /// The key from the top of the file: `trials[2].units`; empty for the whole.
    var path: String
    /// The place of the key; of an element of a list, the place of the element.
    var keyPosition: Position
    /// The place of the value.
    var position: Position
    var content: Content

    /// What to call the value when it is the wrong one.
    var found: String {
        switch content {
        case .scalar(let text, plain: true): text.isEmpty ? "nothing" : text
        case .scalar(let text, plain: false): "the text '\(text)'"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }

    /// The place an error about this value names: that of a short value, otherwise that of its key.
    var errorPosition: Position {
        if case .scalar(let text, _) = content, !text.isEmpty { position } else { keyPosition }
    }

    func fail(
        _ code: ExperimentError.Code, _ message: String, found: String? = nil, accepted: [String] = []
    ) -> ExperimentError {
        ExperimentError(
            code: code, position: errorPosition, key: path, found: found, accepted: accepted, message: message)
    }

    /// An error about a key that has to be there.
    func missing(_ key: String, _ what: String) -> ExperimentError {
        ExperimentError(
            code: .missingKey, position: keyPosition, key: path(of: key), message: "is missing: \(what)")
    }

    func expected(_ what: String, accepted: [String] = []) -> ExperimentError {
        fail(.wrongType, "must be \(what), found \(found)", found: found, accepted: accepted)
    }

    func path(of key: String) -> String {
        path.isEmpty ? key : "\(path).\(key)"
    }

    /// Adds the place of every key to `positions`.
    func collect(into positions: inout [String: Position]) {
        positions[path] = errorPosition
        switch content {
        case .scalar: break
        case .list(let elements):
            for element in elements { element.collect(into: &positions) }
        case .mapping(let entries):
            for entry in entries { entry.value.collect(into: &positions) }
        }
    }
}

extension Field {
    /// The values of a mapping by key; a key that is not accepted is an error.
    func mapping(accepted: [String]) throws(ExperimentError) -> [String: Field] {
        guard case .mapping(let entries) = content else {
            throw expected("a mapping", accepted: accepted.sorted())
        }
        var values: [String: Field] = [:]
        for (key, value) in entries {
            guard accepted.contains(key) else {
                throw ExperimentError(
                    code: .unknownKey, position: value.keyPosition, key: path(of: key), found: key,
                    accepted: accepted.sorted(), message: "unknown key '\(key)'")
            }
            values[key] = value
        }
        return values
    }

    var isList: Bool { if case .list = content { true } else { false } }
    var isMapping: Bool { if case .mapping = content { true } else { false } }

    func list(of what: String) throws(ExperimentError) -> [Field] {
        guard case .list(let elements) = content else { throw expected("a list of \(what)") }
        return elements
    }

    /// Text, with or without quotes.
    func text(_ what: String) throws(ExperimentError) -> String {
        guard case .scalar(let text, _) = content, !text.isEmpty else { throw expected(what) }
        return text
    }

    /// A text, or a list of texts.
    func texts(_ what: String) throws(ExperimentError) -> [String] {
        guard case .list(let elements) = content else { return [try text(what)] }
        var texts: [String] = []
        for element in elements { texts.append(try element.text(what)) }
        return texts
    }

    func integer() throws(ExperimentError) -> Int {
        guard case .int(let value) = try scalarValue() else { throw expected("a whole number") }
        return value
    }

    func number(_ what: String) throws(ExperimentError) -> Double {
        guard let value = try scalarValue()?.double else { throw expected(what) }
        return value
    }

    func flag() throws(ExperimentError) -> Bool {
        guard case .bool(let value) = try scalarValue() else { throw expected("true or false") }
        return value
    }

    /// Whatever stands there.
    func value() throws(ExperimentError) -> ParameterValue {
        switch content {
        case .scalar: return try scalarValue() ?? .null
        case .list(let elements):
            var values: [ParameterValue] = []
            for element in elements { values.append(try element.value()) }
            return .list(values)
        case .mapping(let entries):
            var values: [String: ParameterValue] = [:]
            for (key, value) in entries { values[key] = try value.value() }
            return .mapping(values)
        }
    }

    private func scalarValue() throws(ExperimentError) -> ParameterValue? {
        guard case .scalar(let text, let plain) = content else { return nil }
        guard plain else { return .string(text) }
        return try plainScalar(text) { message in fail(.invalidValue, message) }
    }
}

/// What text without quotes means, by the core schema of YAML 1.2: `no` and `on` are text there, and `1e-3` a number.
private func plainScalar(
    _ text: String, _ fail: (String) -> ExperimentError
) throws(ExperimentError) -> ParameterValue {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    case ".inf", ".Inf", ".INF", "+.inf": return .double(.infinity)
    case "-.inf", "-.Inf", "-.INF": return .double(-.infinity)
    case ".nan", ".NaN", ".NAN": throw fail("is not a number")
    default: break
    }
    guard let first = text.utf8.first(where: { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "+") }),
        first == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
    else { return .string(text) }
    if text.hasPrefix("0x"), let value = Int(text.dropFirst(2), radix: 16) { return .int(value) }
    if text.hasPrefix("0o"), let value = Int(text.dropFirst(2), radix: 8) { return .int(value) }
    if let value = Int(text) { return .int(value) }
    let digits = "0123456789+-.eE".utf8
    guard text.utf8.allSatisfy(digits.contains), let value = Double(text) else { return .string(text) }
    guard value.isFinite, text.utf8.contains(where: { ".eE".utf8.contains($0) }) else {
        throw fail("the number \(text) is too large")
    }
    return .double(value)
}
