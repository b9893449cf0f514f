/// The section `partition`.
extension ExperimentReading {
    /// How rows are divided, how each part is divided again, and what no trial sees.
    struct Division {
        var scheme = PartitionScheme.none
        var within: PartitionScheme?
        var test: TestSet?
        var watch: FileWatch?
    }

    private static let schemes = ["count", "by", "folds", "bootstrap", "subsample", "rows"]
    /// The settings of each scheme.
    private static let settings = [
        "count": ["order"], "by": ["below", "min_rows", "watch"], "folds": ["groups", "repeats", "stratify", "time"],
        "bootstrap": [], "subsample": ["share"], "rows": ["validation"],
    ]

    func readPartition(_ field: Field) throws(ExperimentError) -> Division {
        if case .scalar(let text, true) = field.content, ["", "none", "null", "~"].contains(text) { return Division() }
        let known = Self.schemes + Self.settings.values.flatMap(\.self) + ["test", "within"]
        let fields = try field.mapping(accepted: known)
        var division = Division()
        division.test = try fields["test"].map(readTestSet)
        if fields.count > (fields["test"] == nil ? 0 : 1) || fields["test"] == nil {
            division.scheme = try readScheme(field, fields)
        }
        if let watch = fields["watch"] { division.watch = try readWatch(watch, division.scheme) }
        if let within = fields["within"] {
            let inner = try within.mapping(accepted: known)
            for key in ["test", "watch", "within"] {
                if let other = inner[key] { throw other.fail(.conflict, "stands beside the outer partition only") }
            }
            division.within = try readScheme(within, inner)
        }
        return division
    }

    private func readScheme(_ field: Field, _ fields: [String: Field]) throws(ExperimentError) -> PartitionScheme {
        let found = Self.schemes.filter { fields[$0] != nil }
        guard found.count == 1, let scheme = found.first, let value = fields[scheme] else {
            throw field.fail(
                found.isEmpty ? .missingKey : .conflict,
                found.isEmpty
                    ? "says not how to divide the rows" : "\(found.joined(separator: " and ")) exclude each other",
                accepted: found.isEmpty ? Self.schemes.sorted() : [])
        }
        for (other, keys) in Self.settings where other != scheme {
            for key in keys {
                guard let setting = fields[key] else { continue }
                throw setting.fail(.conflict, "goes with '\(other)' only, not with '\(scheme)'")
            }
        }
        switch scheme {
        case "count": return .count(try readShares(value, order: fields["order"]))
        case "by": return try readGroups(value, fields)
        case "folds":
            return .folds(
                PartitionScheme.Folds(
                    count: try value.integer(), stratify: try fields["stratify"]?.text("the name of a column, or y"),
                    groups: try fields["groups"]?.text("the name of a column, or y"),
                    time: try fields["time"]?.text("the name of a column, or rows"),
                    repeats: try fields["repeats"]?.integer()))
        case "subsample":
            guard let share = fields["share"] else { throw field.missing("share", "the share of the rows in a sample") }
            return .subsample(
                PartitionScheme.Samples(count: try value.integer(), share: try share.number("a share of the rows")))
        case "rows":
            return .rows(
                PartitionScheme.RowFiles(
                    training: try readRowFiles(value), validation: try fields["validation"].map(readRowFiles)))
        default: return .bootstrap(try value.integer())
        }
    }

    private func readWatch(_ field: Field, _ scheme: PartitionScheme) throws(ExperimentError) -> FileWatch {
        guard scheme == .byFile else { throw field.fail(.conflict, "goes with 'by: file' only") }
        let fields = try field.mapping(accepted: ["idle", "until"])
        return FileWatch(
            until: try fields["until"]?.text("a file that is there once no more come"),
            idle: try fields["idle"]?.number("seconds"))
    }

    private func readRowFiles(_ field: Field) throws(ExperimentError) -> [String] {
        let files = try field.texts("an NPY file of row numbers")
        if files.isEmpty { throw field.fail(.invalidValue, "names no file") }
        return files
    }

    private func readGroups(_ value: Field, _ fields: [String: Field]) throws(ExperimentError) -> PartitionScheme {
        let column = try value.text("the name of a column, or file")
        let least = try fields["min_rows"]?.integer()
        var pools = false
        if let below = fields["below"] {
            let word = try below.text("skip or pool")
            guard word == "skip" || word == "pool" else {
                throw below.fail(
                    .invalidValue, "unknown choice '\(word)'", found: word, accepted: ["pool", "skip"])
            }
            guard least != nil else { throw below.fail(.missingKey, "needs min_rows, which says what is below") }
            pools = word == "pool"
        }
        if column == "file" {
            if let setting = fields["min_rows"] {
                throw setting.fail(.conflict, "files are not put together or left out by their size")
            }
            return .byFile
        }
        return .by(
            column: column, small: least.map { PartitionScheme.SmallGroups(leastRows: $0, pools: pools) })
    }

    private func readShares(_ field: Field, order: Field?) throws(ExperimentError) -> PartitionScheme.Shares {
        var isStrided = false
        if let order {
            let word = try order.text("contiguous or strided")
            guard word == "contiguous" || word == "strided" else {
                throw order.fail(
                    .invalidValue, "unknown choice '\(word)'", found: word, accepted: ["contiguous", "strided"])
            }
            isStrided = word == "strided"
        }
        switch field.content {
        case .scalar("devices", _) where !isStrided: return .devices
        case .list(let elements) where !isStrided:
            var sizes: [Int] = []
            for element in elements { sizes.append(try element.integer()) }
            return .sizes(sizes)
        default:
            guard case .int(let number) = try field.value() else {
                throw field.expected(
                    "a number of partitions",
                    accepted: isStrided ? ["a whole number"] : ["a whole number", "devices", "a list of sizes"])
            }
            return isStrided ? .strided(number) : .number(number)
        }
    }

    private func readTestSet(_ field: Field) throws(ExperimentError) -> TestSet {
        guard field.isMapping else { return .share(try field.number("a share of the rows")) }
        let fields = try field.mapping(accepted: ["last", "rows"])
        switch (fields["last"], fields["rows"]) {
        case (let last?, nil): return .last(try last.number("a share of the rows"))
        case (nil, let rows?): return .rows(try rows.text("an NPY file of row numbers"))
        default: throw field.expected("a share, or one of these", accepted: ["{last: SHARE}", "{rows: FILE.npy}"])
        }
    }
}
