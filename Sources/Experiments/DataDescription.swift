/// The arrays that an experiment names.
///
/// Without `npz` an array is a file, `x.npy` or `data.npz:key`; with it, a name of an array in that file. Paths are
/// absolute or relative to the experiment file's folder. With `function` the arrays are what a Python function returns:
/// they are not known before it was called, and then are the files that hold them. So it is with `table`.
public struct DataDescription: Sendable, Equatable, Codable {
    /// The inputs of the model; one named `x` is passed to Keras bare, several as a dictionary.
    public var x: [ArraySource]
    /// The targets, as `x`; empty for a model that needs none.
    public var y: [ArraySource]
    /// One weight a row, or `nil`.
    public var sampleWeight: ArraySource?
    /// Further arrays by name, which `by`, `stratify` and `sample_weight` may name.
    public var columns: [ArraySource]
    /// An NPZ file that holds everything, or several (a list or a pattern).
    public var npz: [String]
    /// The Python function that returns the arrays by name, or `nil`.
    public var function: FunctionReference?
    /// The table whose columns the arrays are, or `nil`.
    public var table: TableDescription?
    /// The folder of images that the arrays are, or `nil`.
    public var images: ImageFolder?

    /// Arrays of files of their own.
    public init(
        x: [ArraySource], y: [ArraySource] = [], sampleWeight: ArraySource? = nil, columns: [ArraySource] = [],
        npz: [String] = [], function: FunctionReference? = nil, table: TableDescription? = nil,
        images: ImageFolder? = nil
    ) {
        self.x = x
        self.y = y
        self.sampleWeight = sampleWeight
        self.columns = columns
        self.npz = npz
        self.function = function
        self.table = table
        self.images = images
    }

    /// One array of inputs and one of targets, for code: `DataDescription(x: "x.npy", y: "y.npy")`.
    public init(x: String, y: String? = nil, sampleWeight: String? = nil, columns: [String: String] = [:]) {
        self.init(
            x: [ArraySource("x", x)], y: y.map { [ArraySource("y", $0)] } ?? [],
            sampleWeight: sampleWeight.map { ArraySource("sample_weight", $0) },
            columns: columns.sorted { $0.key < $1.key }.map { ArraySource($0.key, $0.value) })
    }

    /// The arrays `x`, `y` and others of one NPZ file, for code.
    public init(npz: String) {
        self.init(x: [ArraySource("x", "x")], y: [ArraySource("y", "y")], npz: [npz])
    }

    /// The arrays that a Python function returns, for code.
    public init(function: FunctionReference) {
        self.init(x: [], function: function)
    }

    /// The columns of a table, for code.
    public init(table: TableDescription) {
        self.init(x: [], table: table)
    }

    /// The images of a folder, for code.
    public init(images: ImageFolder) {
        self.init(x: [], images: images)
    }

    /// What makes the arrays, as messages call it: a function, a table or a folder; `nil` where they are files of the user's.
    public var maker: String? { function?.description ?? table?.description ?? images?.folder }

    /// Whether the arrays are still to be made, by ``function`` or of ``table`` or ``images``.
    public var awaitsArrays: Bool { maker != nil && x.isEmpty }

    /// Whether a name can be that of a column: one that is described, any array of an NPZ file, or any at all before
    /// they are made.
    public func mayHoldColumn(_ name: String) -> Bool {
        !npz.isEmpty || awaitsArrays || columns.contains { $0.name == name } || (name == "y" && y.count == 1)
    }
}

/// One array of the data, in one file or in several.
public struct ArraySource: Sendable, Equatable, Codable {
    /// What the array is called.
    public var name: String
    /// Where it is: `x.npy`, `data.npz:key`, a pattern (`parts/x-*.npy`), a folder (`parts/`), or a list of them: with
    /// `{by: file}` one a trial, otherwise one after another.
    public var locations: [String]

    /// The missing numbers of its rows, for which something stands once it is known which rows are trained on.
    public var fills: [Fill] = []

    /// One number of a row that may be NaN.
    public struct Fill: Sendable, Equatable, Codable {
        /// What stands for it.
        public enum Rule: String, Sendable, Equatable, Codable {
            case mean, median
        }

        /// The number's place in the row.
        public var place: Int
        /// What stands for it where it is missing.
        public var rule: Rule
        /// The column of the table that it is of.
        public var column: String
    }

    /// Runs of versions that knew of no fills have none in their description.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, forKey: .name)
        locations = try values.decode([String].self, forKey: .locations)
        fills = try values.decodeIfPresent([Fill].self, forKey: .fills) ?? []
    }

    /// An array at one place.
    public init(_ name: String, _ location: String) {
        self.init(name, [location])
    }

    /// An array of several files.
    public init(_ name: String, _ locations: [String]) {
        self.name = name
        self.locations = locations
    }

    /// Whether it stands for any number of files.
    public var isSeveral: Bool {
        locations.count != 1 || locations.contains { Self.isPattern($0) || $0.hasSuffix("/") }
    }

    /// Whether a path holds a character that stands for others: `*`, `?` or `[`.
    public static func isPattern(_ path: String) -> Bool {
        path.contains { $0 == "*" || $0 == "?" || $0 == "[" }
    }
}
