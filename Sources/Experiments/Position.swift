/// Where in what the user wrote something stands.
public struct Position: Sendable, Equatable, Codable {
    /// The experiment file, as the user named it.
    public var file: String
    /// The line, from 1.
    public var line: Int
    /// The column, from 1, in Unicode scalars.
    public var column: Int
    /// The text of the `--set` that put the value there; the line and the column then mean nothing.
    public var override: String?

    /// A position in a file, or in the text of a `--set`.
    public init(file: String, line: Int, column: Int, override: String? = nil) {
        self.file = file
        self.line = line
        self.column = column
        self.override = override
    }
}

extension Position: CustomStringConvertible {
    /// `experiment.yaml:7:3`, or `--set fit.epochs=0`.
    public var description: String {
        override.map { "--set \($0)" } ?? "\(file):\(line):\(column)"
    }
}
