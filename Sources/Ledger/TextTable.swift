/// A table of text in aligned columns that fits a terminal.
public struct TextTable: Sendable {
    /// Where a column's texts stand.
    public enum Alignment: Sendable {
        /// At the column's left edge: words.
        case left
        /// At its right edge: numbers.
        case right
    }

    private var titles: [String] = []
    private var alignments: [Alignment] = []
    private var rows: [[String]] = []

    /// A table with these columns and no rows.
    public init(columns: [(title: String, alignment: Alignment)]) {
        titles = columns.map(\.title)
        alignments = columns.map(\.alignment)
    }

    /// Adds a row; a cell that is missing is empty.
    public mutating func add(_ cells: [String]) {
        let flat = cells.prefix(titles.count).map { cell in
            cell.contains(where: \.isNewline) ? cell.split(whereSeparator: \.isNewline).joined(separator: " ") : cell
        }
        rows.append(flat + Array(repeating: "", count: titles.count - flat.count))
    }

    /// The lines: titles, a rule, the rows.
    ///
    /// Where they are wider than `width`, the widest columns of words give way first, down to 8 signs, an ellipsis for what
    /// is cut; then columns at the right are left out, and `…` says so. A number is never cut.
    public func render(width: Int = .max) -> String {
        var widths = titles.indices.map { column in
            rows.reduce(titles[column].count) { max($0, $1[column].count) }
        }
        func total(_ count: Int) -> Int { widths.prefix(count).reduce(0, +) + 2 * max(0, count - 1) }
        let words = titles.indices.filter { alignments[$0] == .left }
        while total(titles.count) > width, let widest = words.max(by: { widths[$0] < widths[$1] }), widths[widest] > 8 {
            let excess = total(titles.count) - width
            let next = words.filter { $0 != widest }.map { widths[$0] }.max() ?? 0
            widths[widest] -= max(1, min(excess, widths[widest] - max(next, 8)))
        }
        var shown = titles.count
        while shown > 1, total(shown) + (shown < titles.count ? 3 : 0) > width { shown -= 1 }
        let lines =
            [titles.indices.map { fit(titles[$0], widths[$0], $0) }, widths.map { String(repeating: "─", count: $0) }]
            + rows.map { row in row.indices.map { fit(row[$0], widths[$0], $0) } }
        return lines.map { cells in
            var line = cells.prefix(shown).joined(separator: "  ")
            if shown < titles.count { line += "  …" }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }

    private func fit(_ text: String, _ width: Int, _ column: Int) -> String {
        if text.count > width { return text.prefix(width - 1) + "…" }
        let space = String(repeating: " ", count: width - text.count)
        return alignments[column] == .left ? text + space : space + text
    }
}
