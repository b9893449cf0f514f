/// What the user asks for: models × data partitions × hyperparameters × seeds, and how to fit them.
///
/// Made from an experiment file by ``init(yaml:file:overrides:)`` or in code by ``init(name:model:data:partition:trials:fit:callbacks:save:summarize:python:engine:seed:)``;
/// both check the same rules. Whether the files it names exist and fit each other is for others to see, who report it
/// with ``error(_:at:_:found:accepted:)``.
public struct Experiment: Sendable, Equatable, Codable {
    /// What the experiment is called.
    public var name: String
    /// Where the model comes from.
    public var model: ModelSource
    /// Files of weights that a built model starts from, or `nil`.
    public var start: StartFiles?
    /// Which layers are adapted to the rows that each trial trains on; `nil`: none.
    public var adapt: AdaptedLayers?
    /// The arrays.
    public var data: DataDescription
    /// How the rows are divided.
    public var partition: PartitionScheme
    /// Until when files that come are trained too; `nil`: those that are there are all.
    public var watch: FileWatch?
    /// How the rows of each partition are divided again, or `nil`.
    public var within: PartitionScheme?
    /// The rows that no trial sees, or `nil`.
    public var testSet: TestSet?
    /// The hyperparameters that are tried.
    public var space: TrialSpace
    /// How each trial is fitted.
    public var fit: FitOptions
    /// Keras callbacks, in the order in which Keras would call them.
    public var callbacks: [Callback]
    /// Which models are kept.
    public var save: SavePolicy
    /// A function of the user's that is called with the results.
    public var summarize: FunctionReference?
    /// A Python file that is imported before a `.keras` file is loaded, so that Keras knows the classes that it names.
    public var customObjects: String?
    /// Which Python describes the models; `nil`: Pronghorn's own.
    public var python: PythonRequest?
    /// What trains the trials.
    public var engine: Engine
    /// What Keras computes with where `Model.fit` trains.
    public var backend = Backend.auto
    /// How many processes of `Model.fit` share a device; `nil`: one.
    public var runnersPerDevice: Int?
    /// When trials leave checkpoints; `nil`: as ``CheckpointPolicy/init(everyEpochs:everySeconds:atEnd:)`` has it.
    public var checkpoint: CheckpointPolicy?
    /// The names of the variables that the user's Python functions find in their environment besides the usual ones; `nil`: none.
    public var environment: [String]?
    /// What partitions are drawn from, and the seed of trials that have none of their own.
    public var seed: UInt64
    /// The experiment file as the user named it, or `nil` for an experiment made in code.
    public var file: String?
    /// Where each key stands, by its path: `partition.folds`, `trials[2].units`.
    public var positions: [String: Position]

    /// An experiment made in code, held to the same rules as an experiment file.
    public init(
        name: String = "experiment", model: ModelSource, data: DataDescription, partition: PartitionScheme = .none,
        trials space: TrialSpace = .product([]), fit: FitOptions = FitOptions(), callbacks: [Callback] = [],
        save: SavePolicy = .all, summarize: FunctionReference? = nil, python: PythonRequest? = nil,
        engine: Engine = .auto, seed: UInt64 = 0
    ) throws(ExperimentError) {
        self.init(
            unchecked: name, model: model, data: data, partition: partition, space: space, fit: fit,
            callbacks: callbacks,
            save: save, summarize: summarize, python: python, engine: engine, seed: seed, file: nil, positions: [:])
        try validate()
    }

    /// An experiment made in code whose trials are the product of axes.
    public init(
        name: String = "experiment", model: ModelSource, data: DataDescription, partition: PartitionScheme = .none,
        axes: [Axis], fit: FitOptions = FitOptions(), callbacks: [Callback] = [], save: SavePolicy = .all,
        summarize: FunctionReference? = nil, python: PythonRequest? = nil, engine: Engine = .auto, seed: UInt64 = 0
    ) throws(ExperimentError) {
        try self.init(
            name: name, model: model, data: data, partition: partition, trials: .product(axes), fit: fit,
            callbacks: callbacks,
            save: save, summarize: summarize, python: python, engine: engine, seed: seed)
    }

    /// An experiment made in code whose parts are still to come; ``validate()`` checks it.
    public init(_ name: String, model: ModelSource, data: DataDescription) {
        self.init(
            unchecked: name, model: model, data: data, partition: .none, space: .product([]), fit: FitOptions(),
            callbacks: [], save: .all, summarize: nil, python: nil, engine: .auto, seed: 0, file: nil, positions: [:])
    }

    init(
        unchecked name: String, model: ModelSource, data: DataDescription, partition: PartitionScheme,
        space: TrialSpace, fit: FitOptions, callbacks: [Callback], save: SavePolicy, summarize: FunctionReference?,
        python: PythonRequest?,
        engine: Engine, seed: UInt64, file: String?, positions: [String: Position]
    ) {
        self.name = name
        self.model = model
        self.data = data
        self.partition = partition
        self.space = space
        self.fit = fit
        self.callbacks = callbacks
        self.save = save
        self.summarize = summarize
        self.python = python
        self.engine = engine
        self.seed = seed
        self.file = file
        self.positions = positions
    }
}

extension Experiment {
    /// Whether trials validate.
    public var validates: Bool {
        holdsOutRows || fit.validation != .automatic
            || places(of: .validationSplit).contains { $0.value != .null && $0.value.double != 0 }
    }

    /// The key that says what is validated on, as the user has written it.
    public var validationKey: String {
        ["fit.validation_data", "fit.validation_split"].first { positions[$0] != nil } ?? "fit.validation"
    }

    /// The values that trials have of a setting, with their keys.
    func places(of setting: FitSetting) -> [(key: String, value: ParameterValue)] {
        let name = setting.rawValue
        switch space {
        case .product(let axes):
            return axes.filter { $0.name == name }.flatMap { axis in axis.values.map { ("trials.\(name)", $0) } }
        case .list(let trials):
            return trials.enumerated().compactMap { index, trial in
                trial[name].map { ("trials[\(index)].\(name)", $0) }
            }
        }
    }

    /// What the user should know although it is no mistake, a sentence each.
    public var notes: [String] {
        var notes: [String] = []
        if holdsOutRows, case .share(let share) = fit.validation {
            notes.append(
                "\(validationKey): the share \(share) is not used, since the rows that each partition holds out are its validation set"
            )
        }
        return notes
    }

    /// An error about a key of this experiment, with the place where the key stands.
    ///
    /// For what only others can see: a missing file, a function that is not there, shapes that disagree. A key that
    /// stands nowhere has the position of what it would be in.
    public func error(
        _ code: ExperimentError.Code = .mismatch, at key: String, _ message: String, found: String? = nil,
        accepted: [String] = []
    ) -> ExperimentError {
        ExperimentError(
            code: code, position: position(of: key), key: key, found: found, accepted: accepted, message: message)
    }

    private func position(of key: String) -> Position? {
        var key = key[...]
        while true {
            if let position = positions[String(key)] { return position }
            guard let end = key.lastIndex(where: { $0 == "." || $0 == "[" }) else { break }
            key = key[..<end]
        }
        return file.map { Position(file: $0, line: 1, column: 1) }
    }
}
