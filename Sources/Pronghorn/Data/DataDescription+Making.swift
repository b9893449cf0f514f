public import Experiments

extension DataDescription {
    /// NumPy files: one array of inputs, one of targets, and others by name, which partitions and weights may name.
    public static func npy(
        x: String, y: String? = nil, sampleWeight: String? = nil, columns: [String: String] = [:]
    ) -> DataDescription {
        DataDescription(x: x, y: y, sampleWeight: sampleWeight, columns: columns)
    }

    /// NumPy files for a model of several inputs or outputs, by the names that the model has for them.
    public static func npy(
        x: KeyValuePairs<String, String>, y: KeyValuePairs<String, String>
    ) -> DataDescription {
        DataDescription(
            x: x.map { ArraySource($0.key, $0.value) }, y: y.map { ArraySource($0.key, $0.value) })
    }

    /// The arrays `x`, `y` and others of one NPZ file.
    public static func npz(_ file: String) -> DataDescription { DataDescription(npz: file) }

    /// What a Python function returns: `.function("digits.py", "load")`.
    public static func function(_ file: String, _ name: String) -> DataDescription {
        DataDescription(function: FunctionReference(file: file, function: name))
    }

    /// Columns of CSV or Parquet files; all that are no targets are inputs if none are named.
    public static func table(
        _ files: String..., features: [String]? = nil, targets: [String], missing: TableDescription.Rule = .error
    ) -> DataDescription {
        DataDescription(
            table: TableDescription(
                files: files,
                x: [.init(name: "x", columns: features.map { $0.map { TableDescription.Column(name: $0) } })],
                y: [.init(name: "y", columns: targets.map { TableDescription.Column(name: $0) })],
                missing: .init(all: missing)))
    }
}
