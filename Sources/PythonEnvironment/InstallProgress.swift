/// Turns what `pip` and `uv` print into lines that say how far they are.
struct InstallProgress {
    /// How many packages the requirements name; they may bring others.
    var expected: Int
    private var collected = 0

    init(expected: Int) { self.expected = expected }

    /// What to tell the user about a line; nil if nothing.
    mutating func message(for line: String) -> String? {
        let words = line.split(separator: " ")
        switch words.first {
        case "Collecting":
            guard words.count > 1 else { return nil }
            collected += 1
            let count = collected <= expected ? "\(collected) of \(expected)" : "\(collected)"
            return "collecting \(words[1]) (\(count))"
        case "Downloading":
            // uv names the package, pip the file; both put the size in parentheses at the end.
            guard words.count > 2, line.hasSuffix(")") else { return nil }
            let name = words[1].split(separator: "/").last ?? words[1]
            let size = line[(line.lastIndex(of: "(") ?? line.endIndex)...]
            // Small files come and go faster than anybody reads.
            return size.contains("M") || size.contains("G") ? "downloading \(name) \(size)" : nil
        case "Installing":
            guard line.hasPrefix("Installing collected packages: ") else { return nil }
            return "installing \(line.split(separator: ",").count) packages"
        case "Resolved", "Prepared", "Installed":
            guard words.count > 2, Int(words[1]) != nil else { return nil }
            return "\(words[0].lowercased()) \(words[1]) packages"
        default:
            return nil
        }
    }
}
