import Glibc

/// The terminal that the command writes to.
enum Terminal {
    /// Whether standard output is one, on which lines can be drawn again.
    static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil || forcesLive }

    private static var forcesLive: Bool { getenv("PRONGHORN_LIVE").map { String(cString: $0) } == "1" }

    /// Its columns, 100 where nobody says.
    static var width: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 100 }
        return Int(size.ws_col)
    }

    /// Writes to standard output, at once.
    static func write(_ text: String) {
        put(text, STDOUT_FILENO)
    }

    /// Writes bytes as they are to standard output.
    static func write(_ bytes: UnsafeRawBufferPointer) { put(bytes, STDOUT_FILENO) }

    /// Writes a line to standard output.
    static func line(_ text: String) { write(text + "\n") }

    /// Writes a line to standard error.
    static func error(_ text: String) { put(text + "\n", STDERR_FILENO) }

    private static func put(_ text: String, _ file: Int32) {
        var text = text
        text.withUTF8 { put(UnsafeRawBufferPointer($0), file) }
    }

    private static func put(_ bytes: UnsafeRawBufferPointer, _ file: Int32) {
        var rest = bytes
        while rest.count > 0 {
            let count = Glibc.write(file, rest.baseAddress, rest.count)
            // A reader that is gone wants no more; a signal that came between is none of its business.
            if count < 0, errno != EINTR { return }
            rest = UnsafeRawBufferPointer(rebasing: rest[max(0, count)...])
        }
    }
}

/// Quantities as people read them.
enum Quantity {
    /// `1.3 GiB`.
    static func bytes(_ count: Int) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(count)
        var unit = 0
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return unit == 0 ? "\(count) B" : "\(fixed(value, value < 10 ? 1 : 0)) \(units[unit])"
    }

    /// The bytes that a text such as `512MiB`, `2 GiB`, `2GB` or `1048576` says; nil where it says none.
    static func bytes(parsing text: String) -> Int? {
        let digits = text.prefix { $0.isNumber || $0 == "." }
        let unit = text.dropFirst(digits.count).filter { $0 != " " }.lowercased()
        let units = ["": 1.0, "b": 1, "kib": 0x1p10, "mib": 0x1p20, "gib": 0x1p30, "tib": 0x1p40]
        let decimal = ["kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12]
        guard let number = Double(digits), let size = units[unit] ?? decimal[unit], number * size < 1e18 else {
            return nil
        }
        return Int(number * size)
    }

    /// `2.4 s`, `3 min 12 s`, `4 h 5 min`.
    static func seconds(_ value: Double) -> String {
        guard value.isFinite, value >= 0 else { return "?" }
        if value < 60 { return "\(fixed(value, 1)) s" }
        let whole = Int(value)
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }

    /// A number with so many digits after the point.
    static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return "\(value)" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let rounded = (value * scale).rounded()
        guard abs(rounded) < 1e15 else { return "\(value)" }
        let whole = Int(abs(rounded) / scale)
        let sign = rounded < 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(whole)" }
        let fraction = String(Int(abs(rounded)) - whole * Int(scale))
        return "\(sign)\(whole).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
    }

    /// `1 trial`, `60 trials`.
    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
