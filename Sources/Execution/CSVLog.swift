/// The text of `keras.callbacks.CSVLogger`: a line an epoch.
///
/// The columns are those of the first epoch's logs in alphabetical order. If none of them is of validation, each is there
/// once more with `val_` before it, since validation may come later. What an epoch did not measure is `NA`.
struct CSVLog: Sendable, Equatable {
    private let separator: String
    private var keys: [String]?
    /// The lines so far; they end in CR LF, as Python's `csv.excel` dialect has it.
    private(set) var text = ""

    init(separator: String) {
        self.separator = separator
    }

    /// Adds an epoch's line, before the first that of the columns' names.
    mutating func epochEnded(_ epoch: Int, _ logs: [String: Double]) {
        let keys = self.keys ?? Self.keys(logs)
        if self.keys == nil { text += line(["epoch"] + keys) }
        self.keys = keys
        // Swift's shortest text of a double is Python's.
        text += line([String(epoch)] + keys.map { key in logs[key].map { "\($0)" } ?? "NA" })
    }

    private static func keys(_ logs: [String: Double]) -> [String] {
        let keys = logs.keys.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
        return keys.contains { $0.hasPrefix("val_") } ? keys : keys + keys.map { "val_\($0)" }
    }

    private func line(_ fields: [String]) -> String {
        fields.map(quoted).joined(separator: separator) + "\r\n"
    }

    /// As `csv.QUOTE_MINIMAL`.
    private func quoted(_ field: String) -> String {
        let special = Set("\"\r\n".unicodeScalars).union(separator.unicodeScalars)
        guard field.unicodeScalars.contains(where: special.contains) else { return field }
        return "\"" + field.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
