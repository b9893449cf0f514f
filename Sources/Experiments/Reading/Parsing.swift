import Yams

extension Field {
    /// The most values that a file may hold once its aliases are followed.
    private static let mostValues = 4_000_000

    /// Reads an experiment file.
    static func parse(_ yaml: String, file: String) throws(ExperimentError) -> Field {
        let top = Position(file: file, line: 1, column: 1)
        guard let node = try compose(yaml, at: { Position(file: file, line: $0, column: $1) }) else {
            throw ExperimentError(
                code: .syntax, position: top, key: "",
                message: "the file is empty; an experiment has model, data and fit")
        }
        var count = 0
        return try convert(node, path: "", key: top, count: &count) { mark in
            mark.map { Position(file: file, line: $0.line, column: $0.column) } ?? top
        }
    }

    /// Reads the value of a `--set`.
    static func parse(override: String, value: String, path: String, file: String) throws(ExperimentError) -> Field {
        let position = Position(file: file, line: 0, column: 0, override: override)
        var count = 0
        guard let node = try compose(value, at: { _, _ in position }) else {
            return Field(path: path, keyPosition: position, position: position, content: .scalar("", plain: true))
        }
        return try convert(node, path: path, key: position, count: &count) { _ in position }
    }

    /// Replaces the value at a path of keys, making what is not there.
    mutating func set(_ value: Field, at keys: ArraySlice<String>) throws(ExperimentError) {
        guard let key = keys.first else {
            self = value
            return
        }
        guard case .mapping(var entries) = content else {
            throw ExperimentError(
                code: .invalidValue, position: value.position, key: path,
                message: "is not a mapping, so that it has no key '\(key)' to set")
        }
        let rest = keys.dropFirst()
        if let index = entries.firstIndex(where: { $0.key == key }) {
            try entries[index].value.set(value, at: rest)
        } else {
            var made = Field(
                path: path(of: key), keyPosition: value.position, position: value.position, content: .mapping([]))
            try made.set(value, at: rest)
            entries.append((key, made))
        }
        content = .mapping(entries)
    }

    private static func compose(
        _ yaml: String, at position: (Int, Int) -> Position
    ) throws(ExperimentError) -> Node? {
        func fail(_ message: String, _ line: Int, _ column: Int) -> ExperimentError {
            ExperimentError(
                code: .syntax, position: position(line, column), key: "", message: "not valid YAML: \(message)")
        }
        do {
            // Without a resolver's rules, so that text stays text until its place says what it should be.
            return try Parser(yaml: yaml, resolver: .basic, encoding: .utf8).singleRoot()
        } catch let error as YamlError {
            switch error {
            case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
                .composer(let context, let problem, let mark, _):
                throw fail([context?.text, problem].compactMap { $0 }.joined(separator: ", "), mark.line, mark.column)
            case .duplicatedKeysInMapping(let duplicates, let context):
                throw fail("the key '\(duplicates.sorted()[0])' is given twice", context.mark.line, context.mark.column)
            case .reader(let problem, let offset, _, let text):
                let before = text.prefix(offset ?? 0)
                let line = before.split(separator: "\n", omittingEmptySubsequences: false)
                throw fail(problem, max(line.count, 1), (line.last?.unicodeScalars.count ?? 0) + 1)
            default: throw fail("\(error)", 1, 1)
            }
        } catch {
            throw fail("\(error)", 1, 1)
        }
    }

    private static func convert(
        _ node: Node, path: String, key: Position, count: inout Int, at position: (Mark?) -> Position
    ) throws(ExperimentError) -> Field {
        count += 1
        var field = Field(
            path: path, keyPosition: key, position: position(node.mark), content: .scalar("", plain: true))
        // Aliases of aliases can make a short text stand for billions of values.
        guard count <= mostValues else {
            throw field.fail(.syntax, "more than \(mostValues) values")
        }
        switch node {
        case .scalar(let scalar):
            field.content = .scalar(scalar.string, plain: scalar.style == .plain)
        case .sequence(let sequence):
            var elements: [Field] = []
            elements.reserveCapacity(sequence.count)
            for (index, element) in sequence.enumerated() {
                elements.append(
                    try convert(
                        element, path: "\(path)[\(index)]", key: position(element.mark), count: &count, at: position))
            }
            field.content = .list(elements)
        case .mapping(let mapping):
            var entries: [(key: String, value: Field)] = []
            for (keyNode, value) in mapping {
                guard case .scalar(let scalar) = keyNode else {
                    throw field.fail(.syntax, "a key must be text")
                }
                let name = scalar.string
                entries.append(
                    (
                        name,
                        try convert(
                            value, path: path.isEmpty ? name : "\(path).\(name)", key: position(keyNode.mark),
                            count: &count, at: position)
                    ))
            }
            field.content = .mapping(entries)
        case .alias:
            throw field.fail(.syntax, "an alias of something that is not there")
        }
        return field
    }
}
