public import Bundles
public import SystemPackage

/// Asks for the program of one architecture: a model, what a batch is made of, and what differs between its trials.
public struct ProgramRequest: Sendable, Hashable {
    /// The model.
    public var model: Model
    /// The tensors that the model is trained on, each with the shape of one row.
    public var x: [ProgramDescription.Tensor]
    /// The tensors that it is trained towards.
    public var y: [ProgramDescription.Tensor]
    /// The weight of each row, if rows have weights.
    public var sampleWeight: ProgramDescription.Tensor?
    /// Rows a batch.
    public var batchSize: Int
    /// Numbers that differ between the trials: `learning_rate`, or arguments of the build function that are not among the
    /// model's arguments, each with the trials' values.
    public var numbers: [String: [Double]]
    /// The seeds of the trials, if they differ in it.
    public var seeds: [UInt64]
    /// Whether a lane shall stop at a loss that is NaN or infinite: `keras.callbacks.TerminateOnNaN`.
    public var terminatesOnNaN: Bool
    /// The function of `keras.callbacks.LearningRateScheduler`, and the epochs that it is asked for.
    public var schedule: Schedule?
    /// Whether one function shall serve last partial batches of every size, if the model allows it.
    public var masksRows = false
    /// Which layers are adapted to the rows of each trial: true, or their names; nil: none.
    public var adapt: JSONValue?
    /// The version of StableHLO that the plugin reads; nil for the oldest that Pronghorn's plugins read.
    public var stablehloVersion: String?

    /// Asks for a program.
    public init(
        model: Model, x: [ProgramDescription.Tensor], y: [ProgramDescription.Tensor],
        sampleWeight: ProgramDescription.Tensor? = nil, batchSize: Int, numbers: [String: [Double]] = [:],
        seeds: [UInt64] = [], terminatesOnNaN: Bool = false, schedule: Schedule? = nil, stablehloVersion: String? = nil
    ) {
        self.model = model
        self.x = x
        self.y = y
        self.sampleWeight = sampleWeight
        self.batchSize = batchSize
        self.numbers = numbers
        self.seeds = seeds
        self.terminatesOnNaN = terminatesOnNaN
        self.schedule = schedule
        self.stablehloVersion = stablehloVersion
    }

    /// A user's function of the epoch and the learning rate, whose values become a table.
    public struct Schedule: Sendable, Hashable {
        /// The function's file; its path is absolute.
        public var file: FilePath
        public var function: String
        public var runs: [Run]

        /// Asks for the rates of these runs of epochs.
        public init(file: FilePath, function: String, runs: [Run]) {
            self.file = file
            self.function = function
            self.runs = runs
        }

        /// Epochs that follow each other, and the learning rate before them; nil for the one that the model has.
        public struct Run: Sendable, Hashable {
            public var rate: Double?
            public var epochs: Range<Int>

            public init(rate: Double?, epochs: Range<Int>) {
                self.rate = rate
                self.epochs = epochs
            }
        }

        /// The MODEL of the lowering process's requests.
        public var json: JSONValue {
            [
                "file": .string(file.string), "function": .string(function),
                "runs": .array(
                    runs.map { run in
                        [
                            "rate": run.rate.map(JSONValue.double) ?? .null, "first_epoch": .int(run.epochs.lowerBound),
                            "last_epoch": .int(run.epochs.upperBound),
                        ]
                    }),
            ]
        }
    }

    /// Where a model comes from.
    public enum Model: Sendable, Hashable {
        /// A function of a Python file that is called with these arguments and returns a compiled Keras model.
        case function(file: FilePath, name: String, arguments: [String: JSONValue])
        /// A `.keras` file, and a Python file to import before it is loaded; with the key of its ``Architecture`` a program
        /// that another file of it was described as will do, since every lane gets a state of its own.
        case keras(file: FilePath, customObjects: FilePath? = nil, architecture: String? = nil)
        /// A stack of layers and the arguments of `Model.compile`.
        case layers([JSONValue], compile: [String: JSONValue])
        /// Keras's own configuration of a model, the arguments of `Model.compile` where it has none, and a Python file to
        /// import before.
        case configuration(Configuration, compile: [String: JSONValue]? = nil, customObjects: FilePath? = nil)

        /// Where a configuration is: in a file, whose path is absolute, or here.
        public enum Configuration: Sendable, Hashable {
            case file(FilePath)
            case value(JSONValue)
        }

        /// The file that the model comes from, if it comes from one; its path is absolute.
        var file: FilePath? {
            switch self {
            case .function(let file, _, _), .keras(let file, _, _): file
            case .configuration(.file(let file), _, _): file
            case .configuration, .layers: nil
            }
        }

        /// The MODEL of the lowering process's requests.
        public var json: JSONValue {
            switch self {
            case .function(let file, let name, let arguments):
                [
                    "kind": "function", "file": .string(file.string), "function": .string(name),
                    "arguments": .object(arguments),
                ]
            case .keras(let file, let customObjects, _):
                .object(
                    ["kind": "keras", "file": .string(file.string)].merging(
                        customObjects.map { ["custom_objects": .string($0.string)] } ?? [:]
                    ) { $1 })
            case .layers(let layers, let compile):
                ["kind": "layers", "layers": .array(layers), "compile": .object(compile)]
            case .configuration(let place, let compile, let customObjects):
                .object(configuration(place, compile, customObjects))
            }
        }

        private func configuration(
            _ place: Configuration, _ compile: [String: JSONValue]?, _ customObjects: FilePath?
        ) -> [String: JSONValue] {
            var fields: [String: JSONValue] = ["kind": "config"]
            switch place {
            case .file(let file): fields["file"] = .string(file.string)
            case .value(let value): fields["config"] = value
            }
            if let compile { fields["compile"] = .object(compile) }
            if let customObjects { fields["custom_objects"] = .string(customObjects.string) }
            return fields
        }
    }

    /// The fields of the request to the lowering process, but for those that say where to.
    var fields: [String: JSONValue] {
        var fields: [String: JSONValue] = [
            "model": model.json, "batch_size": .int(batchSize),
            "inputs": [
                "x": .array(x.map(\.json)), "y": .array(y.map(\.json)), "sample_weight": sampleWeight?.json ?? .null,
            ],
        ]
        var vary: [String: JSONValue] = [:]
        // That values make no other difference is shown by two of them: a third would only give the same program another key.
        for (name, values) in numbers where !values.isEmpty {
            vary[name] = .array(Self.ends(values.sorted()).map(JSONValue.double))
        }
        if !seeds.isEmpty { vary["seed"] = .array(Self.ends(seeds.sorted()).map { .int(Int(clamping: $0)) }) }
        fields["vary"] = .object(vary)
        if let adapt { fields["adapt"] = adapt }
        var callbacks: [String: JSONValue] = [:]
        if terminatesOnNaN { callbacks["terminate_on_nan"] = .bool(true) }
        if let schedule { callbacks["schedule"] = schedule.json }
        if !callbacks.isEmpty { fields["callbacks"] = .object(callbacks) }
        if masksRows { fields["mask_rows"] = .bool(true) }
        if let stablehloVersion { fields["stablehlo_version"] = .string(stablehloVersion) }
        return fields
    }

    /// The first and the last of some values, or the one there is.
    private static func ends<Value: Equatable>(_ values: [Value]) -> [Value] {
        guard let first = values.first, let last = values.last else { return [] }
        return first == last ? [first] : [first, last]
    }
}

extension ProgramDescription.Tensor {
    fileprivate var json: JSONValue {
        ["name": .string(name), "shape": .array(shape.map(JSONValue.int)), "dtype": .string(dtype)]
    }
}
