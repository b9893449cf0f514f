/// The section `data` with `table`: columns of CSV or Parquet files.
extension ExperimentReading {
    static let tableKeys = [
        "table", "separator", "features", "target", "x", "y", "weight", "missing", "missing_values",
    ]

    static let tableEndings = [".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".pq"]

    func readTable(_ field: Field) throws(ExperimentError) -> TableDescription {
        let fields = try field.mapping(accepted: Self.tableKeys)
        for (short, long) in [("features", "x"), ("target", "y")] {
            if fields[short] != nil, let other = fields[long] {
                throw other.fail(.conflict, "'\(short)' says the same: leave one out")
            }
        }
        var table = TableDescription(files: try fields["table"].map(readTableFiles) ?? [])
        table.separator = try fields["separator"]?.text("one character")
        if let separator = fields["separator"], table.separator?.utf8.count != 1 {
            throw separator.fail(.invalidValue, "must be one character, found '\(table.separator ?? "")'")
        }
        if let features = fields["features"] {
            table.x = [TableDescription.Array(name: "x", columns: try readColumns(features))]
        } else if let x = fields["x"] {
            table.x = try readNamedArrays(x)
        }
        if let target = fields["target"] {
            table.y = [TableDescription.Array(name: "y", columns: try readColumns(target))]
        } else if let y = fields["y"] {
            table.y = try readNamedArrays(y)
        }
        table.weight = try fields["weight"]?.text("the name of a column")
        if let missing = fields["missing"] { table.missing = try readMissing(missing) }
        table.missingMarkers = try fields["missing_values"]?.texts("a text that stands for a missing value")
        return table
    }

    func readTableFiles(_ field: Field) throws(ExperimentError) -> [String] {
        let files = try field.texts("the path of a CSV or Parquet file")
        if files.isEmpty { throw field.fail(.invalidValue, "names no file") }
        for file in files where !Self.tableEndings.contains(where: { file.lowercased().hasSuffix($0) }) {
            throw field.fail(
                .unsupported, "'\(file)' is no table", accepted: Self.tableEndings.map { "FILE\($0)" })
        }
        return files
    }

    /// Names of arrays over their columns.
    private func readNamedArrays(_ field: Field) throws(ExperimentError) -> [TableDescription.Array] {
        guard case .mapping(let entries) = field.content, !entries.isEmpty else {
            throw field.expected("a mapping from names of arrays to lists of columns")
        }
        var arrays: [TableDescription.Array] = []
        for (name, value) in entries {
            arrays.append(TableDescription.Array(name: name, columns: try readColumns(value)))
        }
        return arrays
    }

    /// A column, a list of them, or a mapping from columns to encodings.
    private func readColumns(_ field: Field) throws(ExperimentError) -> [TableDescription.Column] {
        switch field.content {
        case .scalar: return [TableDescription.Column(name: try field.text("the name of a column"))]
        case .mapping(let entries):
            var columns: [TableDescription.Column] = []
            for (name, value) in entries {
                columns.append(TableDescription.Column(name: name, encoding: try readEncoding(value)))
            }
            if columns.isEmpty { throw field.expected("columns") }
            return columns
        case .list(let elements):
            var columns: [TableDescription.Column] = []
            for element in elements { columns += try readColumns(element) }
            if columns.isEmpty { throw field.expected("columns") }
            return columns
        }
    }

    private static let encodings = ["bag_of_words", "date", "hashing", "number", "one_hot", "ordinal"]

    private func readEncoding(_ field: Field) throws(ExperimentError) -> TableDescription.Encoding? {
        switch field.content {
        case .scalar("", true), .scalar("null", true), .scalar("~", true): return nil
        case .scalar(let name, _): return try readEncoding(name, field, nil)
        case .mapping(let entries):
            guard entries.count == 1, let (name, arguments) = entries.first else {
                throw field.expected("one encoding", accepted: Self.encodings)
            }
            return try readEncoding(name, arguments, arguments)
        case .list: throw field.expected("an encoding", accepted: Self.encodings)
        }
    }

    private func readEncoding(
        _ name: String, _ field: Field, _ arguments: Field?
    ) throws(ExperimentError) -> TableDescription.Encoding {
        switch name {
        case "number":
            if let arguments { _ = try arguments.mapping(accepted: []) }
            return .number
        case "ordinal":
            let (categories, unknown) = try readCategories(arguments)
            return .ordinal(categories: categories, unknown: unknown)
        case "one_hot":
            let (categories, unknown) = try readCategories(arguments)
            return .oneHot(categories: categories, unknown: unknown)
        case "hashing":
            let fields = try arguments?.mapping(accepted: ["bins", "output"]) ?? [:]
            guard let bins = fields["bins"] else { throw field.missing("bins", "how many bins there are") }
            return .hashing(
                bins: try readCount(bins, most: 1 << 24),
                oneHot: try readChoice(fields["output"], ["one_hot", "index"]) == "one_hot")
        case "bag_of_words":
            let fields = try arguments?.mapping(accepted: ["words", "weight"]) ?? [:]
            return .bagOfWords(
                words: try fields["words"].map { field throws(ExperimentError) in
                    try readCount(field, most: 1 << 20)
                } ?? 1000,
                binary: try readChoice(fields["weight"], ["count", "binary"]) == "binary")
        case "date": return try readDate(arguments)
        default:
            throw field.fail(
                .invalidValue, "no encoding is called '\(name)'", found: name, accepted: Self.encodings)
        }
    }

    private func readCategories(
        _ arguments: Field?
    ) throws(ExperimentError) -> ([String]?, TableDescription.Unknown) {
        let fields = try arguments?.mapping(accepted: ["categories", "unknown"]) ?? [:]
        let categories = try fields["categories"]?.texts("a category")
        if let field = fields["categories"], let categories, Set(categories).count != categories.count {
            throw field.fail(.invalidValue, "a category is given twice")
        }
        return (categories, try readChoice(fields["unknown"], ["error", "own"]) == "own" ? .own : .error)
    }

    private func readDate(_ arguments: Field?) throws(ExperimentError) -> TableDescription.Encoding {
        guard let arguments else { return .date(parts: ["days"], format: nil) }
        var format: String?
        var field: Field? = arguments
        if arguments.isMapping {
            let fields = try arguments.mapping(accepted: ["format", "parts"])
            format = try fields["format"]?.text("a format as strptime takes it")
            field = fields["parts"]
        }
        guard let field else { return .date(parts: ["days"], format: format) }
        let parts = try field.texts("a part of a date")
        for part in parts where !TableDescription.dateParts.contains(part) {
            throw field.fail(
                .invalidValue, "'\(part)' is no part of a date", found: part, accepted: TableDescription.dateParts)
        }
        if parts.isEmpty { throw field.fail(.invalidValue, "names no part of a date") }
        return .date(parts: parts, format: format)
    }

    /// The section `data` with `images`.
    func readImages(_ field: Field) throws(ExperimentError) -> ImageFolder {
        let fields = try field.mapping(accepted: ["color", "images", "resize", "size"])
        guard let place = fields["images"] else { throw field.missing("images", "the folder") }
        var images = ImageFolder(folder: try place.text("a folder of images"))
        let color = try readChoice(fields["color"], ImageFolder.Color.allCases.map(\.rawValue))
        images.color = ImageFolder.Color(rawValue: color) ?? .rgb
        let resize = try readChoice(fields["resize"], ImageFolder.Resize.allCases.map(\.rawValue))
        images.resize = ImageFolder.Resize(rawValue: resize) ?? .stretch
        if let size = fields["size"] {
            let sides = try size.list(of: "a height and a width")
            guard sides.count == 2 else { throw size.expected("a height and a width, such as [64, 64]") }
            images.size = ImageFolder.Size(
                height: try readCount(sides[0], most: 1 << 14), width: try readCount(sides[1], most: 1 << 14))
        }
        return images
    }

    private func readCount(_ field: Field, most: Int) throws(ExperimentError) -> Int {
        let count = try field.integer()
        guard (1...most).contains(count) else {
            throw field.fail(.invalidValue, "must be from 1 to \(most), found \(count)")
        }
        return count
    }

    /// One of some words, the first of them where none is given.
    private func readChoice(_ field: Field?, _ words: [String]) throws(ExperimentError) -> String {
        guard let field else { return words[0] }
        let word = try field.text("a choice")
        guard words.contains(word) else {
            throw field.fail(.invalidValue, "unknown choice '\(word)'", found: word, accepted: words)
        }
        return word
    }

    private func readMissing(_ field: Field) throws(ExperimentError) -> TableDescription.Missing {
        guard case .mapping(let entries) = field.content, !(entries.count == 1 && entries[0].key == "value") else {
            return TableDescription.Missing(all: try readRule(field))
        }
        var missing = TableDescription.Missing()
        for (name, value) in entries {
            if name == "otherwise" {
                missing.all = try readRule(value)
            } else {
                missing.columns[name] = try readRule(value)
            }
        }
        return missing
    }

    private func readRule(_ field: Field) throws(ExperimentError) -> TableDescription.Rule {
        let accepted = ["error", "drop", "mean", "median", "a number", "{value: TEXT}"]
        if field.isMapping {
            guard let value = try field.mapping(accepted: ["value"])["value"] else {
                throw field.expected("a rule", accepted: accepted)
            }
            return .value(try readFiller(value, accepted))
        }
        if case .scalar(let text, _) = field.content {
            switch text {
            case "error": return .error
            case "drop": return .drop
            case "mean": return .mean
            case "median": return .median
            default: break
            }
        }
        let value = try readFiller(field, accepted)
        if case .string(let text) = value {
            throw field.fail(
                .invalidValue, "'\(text)' is no rule; as a text that stands for missing values: {value: \(text)}",
                found: text, accepted: accepted)
        }
        return .value(value)
    }

    private func readFiller(_ field: Field, _ accepted: [String]) throws(ExperimentError) -> ParameterValue {
        let value = try field.value()
        switch value {
        case .int, .double, .string, .bool: return value
        case .null, .list, .mapping: throw field.expected("a number or a text", accepted: accepted)
        }
    }
}
