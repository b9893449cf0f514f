extension Experiment {
    /// Reads an experiment file.
    ///
    /// - Parameters:
    ///   - yaml: The text of the file.
    ///   - file: Its name as the user gave it, for errors and for a name where none is given.
    ///   - overrides: Values to put in place of the file's, as `key.path=value`, the value in YAML.
    public init(yaml: String, file: String, overrides: [String] = []) throws(ExperimentError) {
        var root = try Field.parse(yaml, file: file)
        for override in overrides {
            guard let equals = override.firstIndex(of: "="), equals != override.startIndex else {
                throw ExperimentError(
                    code: .syntax, position: Position(file: file, line: 0, column: 0, override: override), key: "",
                    message: "expected KEY=VALUE, such as fit.epochs=5")
            }
            let key = override[..<equals]
            let value = try Field.parse(
                override: override, value: String(override[override.index(after: equals)...]), path: String(key),
                file: file)
            let keys = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            try root.set(value, at: keys[...])
        }
        self = try ExperimentReading(root: root, file: file).experiment()
        try validate()
        try validateWatchedFiles()
    }
}

/// Turns the tree of an experiment file into an experiment; types are checked here, meaning by `validate`.
struct ExperimentReading {
    static let keys = [
        "name", "model", "custom_objects", "start", "adapt", "data", "partition", "trials", "fit", "callbacks", "save",
        "summarize", "python",
        "engine",
        "backend", "runners_per_device", "checkpoint", "environment", "seed",
    ]
    static let fitKeys = FitSetting.allCases.map(\.rawValue) + ["validation", "validation_data", "on_divergence"]

    var root: Field
    var file: String

    func experiment() throws(ExperimentError) -> Experiment {
        let fields = try root.mapping(accepted: Self.keys)
        if fields["model"] == nil { throw root.missing("model", "where the model comes from, such as models.py:build") }
        if fields["data"] == nil { throw root.missing("data", "the arrays, such as {x: x.npy, y: y.npy}") }
        var positions: [String: Position] = [:]
        root.collect(into: &positions)
        positions[""] = Position(file: file, line: 1, column: 1)

        let seed = try read(fields["seed"], or: 0, readSeed)
        let division = try read(fields["partition"], or: Division(), readPartition)
        var experiment = Experiment(
            unchecked: try fields["name"].map(readName) ?? stem(of: file),
            model: try read(fields["model"], or: .keras(path: ""), readModel),
            data: try read(fields["data"], or: DataDescription(x: []), readData),
            partition: division.scheme,
            space: try read(fields["trials"], or: .product([])) { field throws(ExperimentError) in
                try readSpace(field, seed: seed)
            },
            fit: try read(fields["fit"], or: FitOptions(), readFit),
            callbacks: try read(fields["callbacks"], or: [], readCallbacks),
            save: try read(fields["save"], or: .all, readSave),
            summarize: try read(fields["summarize"], or: nil, readSummarize),
            python: try read(fields["python"], or: nil, readPython),
            engine: try read(fields["engine"], or: .auto, readEngine),
            seed: seed, file: file, positions: positions)
        experiment.within = division.within
        experiment.testSet = division.test
        experiment.watch = division.watch
        experiment.start = try read(fields["start"], or: nil, readStart)
        experiment.adapt = try read(fields["adapt"], or: nil, readAdaptedLayers)
        experiment.customObjects = try read(fields["custom_objects"], or: nil) { field throws(ExperimentError) in
            try field.text("a Python file")
        }
        experiment.backend = try read(fields["backend"], or: .auto, readBackend)
        experiment.runnersPerDevice = try read(fields["runners_per_device"], or: nil) { field throws(ExperimentError) in
            try field.integer()
        }
        experiment.environment = try read(fields["environment"], or: nil, readEnvironment)
        experiment.checkpoint = try read(fields["checkpoint"], or: nil, readCheckpoint)
        return experiment
    }

    private func read<Value>(
        _ field: Field?, or missing: Value, _ body: (Field) throws(ExperimentError) -> Value
    ) throws(ExperimentError) -> Value {
        guard let field else { return missing }
        return try body(field)
    }
}
