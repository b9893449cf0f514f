import Experiments
import Foundation
import Testing

private let digits = """
    name: digits
    model: models.py:build
    data: {x: x.npy, y: y.npy, store: data.npz:store}
    partition: {folds: 5, stratify: y}
    trials:
      seed: {range: 20}
      learning_rate: [0.001, 1e-2, 1]
      units: [32, [64, 32]]
    fit: {epochs: 20, batch_size: 16, shuffle: false, validation_batch_size: 64, validation_freq: 2}
    save: [all, initial, {top: 3, monitor: val_accuracy}]
    summarize: summary.py:combine
    python: {interpreter: /usr/bin/python3, requirements: [pandas, "polars>=1"]}
    engine: native
    backend: tensorflow
    runners_per_device: 3
    checkpoint: {every_epochs: 5, every_seconds: 2.5, at_end: false}
    seed: 7
    """

@Test func everyKeyOfAnExperimentFileArrives() throws {
    let experiment = try Experiment(yaml: digits, file: "folder/digits.yaml")
    #expect(experiment.name == "digits")
    #expect(experiment.model == .function("models.py", "build"))
    #expect(experiment.data == DataDescription(x: "x.npy", y: "y.npy", columns: ["store": "data.npz:store"]))
    #expect(experiment.partition == .folds(5, stratify: "y"))
    #expect(
        experiment.space
            == .product([
                Axis("seed", 0..<20), Axis("learning_rate", [0.001, 0.01, 1.0]), Axis("units", [32, [64, 32]]),
            ]))
    #expect(
        experiment.fit
            == FitOptions(
                epochs: 20, batchSize: 16, shuffle: false, validationBatchSize: 64, validationFrequency: 2))
    #expect(
        experiment.save
            == SavePolicy(
                all: true, initial: true, top: SavePolicy.Top(count: 3, monitor: Monitor(metric: "val_accuracy"))))
    #expect(experiment.summarize == FunctionReference(file: "summary.py", function: "combine"))
    #expect(experiment.python == PythonRequest(interpreter: "/usr/bin/python3", requirements: ["pandas", "polars>=1"]))
    #expect(experiment.engine == .native)
    #expect(experiment.backend == .tensorflow)
    #expect(experiment.runnersPerDevice == 3)
    #expect(experiment.checkpoint == CheckpointPolicy(everyEpochs: 5, everySeconds: 2.5, atEnd: false))
    #expect(experiment.seed == 7)
    #expect(experiment.validates)
}

@Test func callbacksArriveInTheirOrderWithKerasDefaults() throws {
    let yaml = """
        model: models.py:build
        data: {x: x.npy, y: y.npy}
        fit: {validation: 0.2}
        callbacks:
          - terminate_on_nan
          - early_stopping: {monitor: val_accuracy, mode: max, min_delta: 1, patience: 3, baseline: null, verbose: 1}
          - reduce_lr_on_plateau:
          - model_checkpoint: {save_best_only: true, save_freq: epoch, initial_value_threshold: 0.5}
          - model_checkpoint: {save_freq: 7}
          - learning_rate_scheduler: {schedule: rates.py:decay}
          - mine.py:callbacks
          - csv_logger: {separator: ";", append: true}
          - swap_ema_weights: {swap_on_epoch: true}
        """
    let experiment = try Experiment(yaml: yaml, file: "e.yaml")
    #expect(
        experiment.callbacks == [
            .terminateOnNaN(.init()),
            .earlyStopping(.init(monitor: "val_accuracy", minDelta: 1, patience: 3, mode: .max)),
            .reduceLROnPlateau(.init()),
            .modelCheckpoint(.init(saveBestOnly: true, initialValueThreshold: 0.5)),
            .modelCheckpoint(.init(batches: 7)),
            .learningRateScheduler(.init(schedule: FunctionReference(file: "rates.py", function: "decay"))),
            .python(FunctionReference(file: "mine.py", function: "callbacks")),
            .csvLogger(.init(separator: ";", append: true)), .swapEMAWeights(.init(swapOnEpoch: true)),
        ])
    #expect(
        experiment.callbacks.map { $0.needsFitEngine != nil } == [
            false, false, false, false, true, false, true, false, false,
        ])
}

@Test func whatIsLeftOutIsAsInKeras() throws {
    let experiment = try Experiment(yaml: "model: a.keras\ndata: {npz: d.npz}", file: "runs/plain.yaml")
    #expect(experiment.name == "plain")
    #expect(experiment.model == .keras(path: "a.keras"))
    #expect(experiment.data == DataDescription(npz: "d.npz"))
    #expect(experiment.partition == .none)
    #expect(experiment.fit == FitOptions(epochs: 1, batchSize: nil, validation: .automatic, shuffle: true))
    #expect(experiment.save == .all)
    #expect(experiment.python == nil)
    #expect(!experiment.validates)
    #expect(try experiment.trials(partitions: ["all"]).map(\.seed) == [0])
}

@Test func inlineLayersKeepTheirNumbersAsWritten() throws {
    let experiment = try Experiment(
        yaml: """
            model:
              layers: [Flatten, {Dense: {units: 64, activation: relu, bias_initializer: no}}, Dropout: {rate: 1.0}]
              compile: {optimizer: {Adam: {epsilon: 1e-7}}, loss: mse, metrics: [mae, "1"], jit_compile: ~}
            data: {x: {a: a.npy, b: b.npy}, y: y.npy}
            """.replacing("Dropout: {rate: 1.0}", with: "{Dropout: {rate: 1.0}}"), file: "e.yaml")
    guard case .layers(let model) = experiment.model else {
        Issue.record("not an inline model")
        return
    }
    #expect(
        model.layers
            == [
                "Flatten", ["Dense": ["units": 64, "activation": "relu", "bias_initializer": "no"]],
                ["Dropout": ["rate": 1.0]],
            ])
    #expect(
        ParameterValue.mapping(model.compile).json
            == #"{"jit_compile": null, "loss": "mse", "metrics": ["mae", "1"], "optimizer": {"Adam": {"epsilon": 1e-07}}}"#
    )
    #expect(ParameterValue.list(model.layers).json.contains(#"{"Dropout": {"rate": 1.0}}"#))
    #expect(experiment.data.x == [ArraySource("a", "a.npy"), ArraySource("b", "b.npy")])
}

@Test func aConfigurationIsAFileWithOrWithoutCompileSettings() throws {
    func model(_ text: String) throws -> ModelSource {
        try Experiment(yaml: "model: \(text)\ndata: {x: x.npy, y: y.npy}", file: "e.yaml").model
    }
    #expect(try model("{config: m.json}") == .configuration(ModelConfiguration(.file("m.json"))))
    #expect(
        try model("{config: m.json, compile: {optimizer: sgd, loss: mse}}")
            == .configuration(ModelConfiguration(.file("m.json"), compile: ["optimizer": "sgd", "loss": "mse"])))
    #expect(throws: ExperimentError.self) { try model("{config: m.yaml}") }
    #expect(throws: ExperimentError.self) { try model("{config: m.json, layers: []}") }
    #expect(throws: ExperimentError.self) { try model("{config: m.json, compile: {loss: mse}}") }
}

@Test(arguments: [
    ("{count: 8}", PartitionScheme.count(8)), ("{count: devices}", .count(.devices)),
    ("{count: [400, 300]}", .count(.sizes([400, 300]))), ("{by: store}", .by(column: "store")),
    ("{by: y}", .by(column: "y")), ("{folds: 3}", .folds(3)), ("{bootstrap: 16}", .bootstrap(16)),
    ("{count: 4, order: strided}", .count(.strided(4))),
    ("{by: store, min_rows: 40}", .by(column: "store", small: .init(leastRows: 40, pools: false))),
    ("{by: store, min_rows: 40, below: pool}", .by(column: "store", small: .init(leastRows: 40, pools: true))),
    ("{folds: 3, groups: store, repeats: 2}", .folds(.init(count: 3, groups: "store", repeats: 2))),
    ("{folds: 3, time: rows}", .folds(.init(count: 3, time: "rows"))),
    ("{subsample: 5, share: 0.5}", .subsample(.init(count: 5, share: 0.5))),
    ("{rows: [a.npy, b.npy]}", .rows(.init(training: ["a.npy", "b.npy"]))), ("{test: 0.2}", .none), ("none", .none),
])
func everyWayToDivideTheRowsIsRead(text: String, scheme: PartitionScheme) throws {
    let yaml = "model: m.py:build\ndata: {x: x.npy, y: y.npy, store: s.npy}\npartition: \(text)"
    #expect(try Experiment(yaml: yaml, file: "e.yaml").partition == scheme)
}

@Test func oneFileATrialTakesListsAndPatterns() throws {
    let yaml = "model: m.py:build\ndata: {x: parts/x-*.npy, y: [a.npy, b.npz:y]}\npartition: {by: file}"
    let experiment = try Experiment(yaml: yaml, file: "e.yaml")
    #expect(experiment.partition == .byFile)
    #expect(experiment.data.x == [ArraySource("x", "parts/x-*.npy")])
    #expect(experiment.data.y == [ArraySource("y", ["a.npy", "b.npz:y"])])
}

@Test(arguments: ["digits.py:load", "{from: digits.py:load}"])
func dataFromAFunctionMayHoldAnyColumn(data: String) throws {
    let yaml = """
        model: digits.py:build
        data: \(data)
        partition: {by: clinic}
        fit: {sample_weight: certainty, validation: {from: later.py:validation}}
        """
    var experiment = try Experiment(yaml: yaml, file: "e.yaml")
    #expect(experiment.data == DataDescription(function: FunctionReference(file: "digits.py", function: "load")))
    #expect(experiment.data.awaitsArrays)
    let later = FunctionReference(file: "later.py", function: "validation")
    #expect(experiment.fit.validation == .data(DataDescription(function: later)))
    // Once it was called, its arrays are held to the rules of files.
    experiment.data.x = [ArraySource("x", "/cache[1]/x.npy")]
    experiment.data.columns = [ArraySource("clinic", "/cache[1]/column-0.npy")]
    let error = #expect(throws: ExperimentError.self) { try experiment.validate() }
    #expect(
        error?.description
            == "e.yaml:4:22: fit.sample_weight: the data has no column 'certainty'; accepted: clinic")
    experiment.fit.sampleWeight = "clinic"
    try experiment.validate()
}

@Test func overridesReplaceAndAddKeys() throws {
    let experiment = try Experiment(
        yaml: digits, file: "e.yaml",
        overrides: ["fit.epochs=3", "trials.seed={range: [5, 7]}", "trials.activation=relu", "partition=", "save=all"])
    #expect(experiment.fit.epochs == 3)
    #expect(experiment.fit.batchSize == 16)
    #expect(experiment.partition == .none)
    #expect(
        experiment.space
            == .product([
                Axis("seed", 5..<7), Axis("learning_rate", [0.001, 0.01, 1.0]), Axis("units", [32, [64, 32]]),
                Axis("activation", ["relu"]),
            ]))
}

@Test func errorsOfOtherModulesNameTheLineOfTheKey() throws {
    let experiment = try Experiment(
        yaml: "model: m.py:build\ndata:\n  x: x.npy\n  y: y.npy\nfit: {epochs: 2}", file: "e.yaml",
        overrides: ["fit.batch_size=8"])
    #expect(experiment.error(at: "data.y", "no such file").description == "e.yaml:4:6: data.y: no such file")
    #expect(experiment.error(at: "data.y.left", "is missing").description == "e.yaml:4:6: data.y.left: is missing")
    #expect(experiment.error(at: "partition", "no rows").description == "e.yaml:1:1: partition: no rows")
    let error = experiment.error(at: "fit.batch_size", "too large", accepted: ["4"])
    #expect(error.description == "--set fit.batch_size=8: fit.batch_size: too large; accepted: 4")
    #expect(error.line == nil && error.file == "e.yaml")
}

@Test func anExperimentMadeInCodeFollowsTheSameRules() throws {
    let data = DataDescription(x: "x.npy", y: "y.npy")
    let made = try Experiment(
        model: .function("m.py", "build"), data: data, partition: .folds(5, stratify: "y"),
        axes: [Axis("seed", 0..<4), Axis("units", [32, 64])], fit: FitOptions(epochs: 3))
    #expect(try made.trials(partitions: ["fold 0", "fold 1"]).count == 16)
    let error = #expect(throws: ExperimentError.self) {
        try Experiment(model: .keras(path: "m.keras"), data: data, fit: FitOptions(epochs: 0))
    }
    #expect(error?.description == "fit.epochs: must be at least 1, found 0")
}

@Test func anExperimentSurvivesItsRecord() throws {
    var experiment = try Experiment(yaml: digits, file: "e.yaml", overrides: ["fit.epochs=3"])
    #expect(try JSONDecoder().decode(Experiment.self, from: JSONEncoder().encode(experiment)) == experiment)
    experiment.space = .list([["a": 1.0, "b": 1, "c": nil, "d": [true, 0.5, "1"]]])
    #expect(try JSONDecoder().decode(Experiment.self, from: JSONEncoder().encode(experiment)) == experiment)
}

@Test func aShareBesideFoldsIsSaidToBeUnused() throws {
    let experiment = try Experiment(yaml: digits, file: "e.yaml", overrides: ["fit.validation=0.2"])
    #expect(
        experiment.notes == [
            "fit.validation: the share 0.2 is not used, since the rows that each partition holds out are its validation set"
        ])
}

@Test("Keras's own names of what is validated on mean the same")
func namesOfValidation() throws {
    func read(_ fit: String) throws -> Experiment {
        try Experiment(yaml: "model: a.keras\ndata: {x: x.npy, y: y.npy}\nfit: \(fit)", file: "e.yaml")
    }
    #expect(try read("{validation_split: 0.25}").fit == read("{validation: 0.25}").fit)
    #expect(try read("{validation_split: 0}").fit == FitOptions())
    let data = "{x: v.npy, y: w.npy}"
    #expect(try read("{validation_data: \(data)}").fit == read("{validation: \(data)}").fit)
    let error = #expect(throws: ExperimentError.self) { try read("{validation_data: {x: {a: v.npy}, y: w.npy}}") }
    #expect(error?.description == "e.yaml:3:25: fit.validation_data.x: has the inputs a, but data.x has x")
}

@Test("Weights of classes are those of all trials or of each")
func weightsOfClasses() throws {
    let experiment = try Experiment(
        yaml: """
            model: a.keras
            data: {x: x.npy, y: y.npy}
            trials: [{class_weight: {0: 1, 7: 2.5}}, {class_weight: null}, {seed: 3}]
            fit: {class_weight: {1: 3}}
            """, file: "e.yaml")
    #expect(try experiment.trials(partitions: ["all"]).map(\.fit.classWeight) == [[0: 1, 7: 2.5], nil, [1: 3]])
    #expect(experiment.rowWeights.map(\.weights) == [.classes([1: 3]), .classes([0: 1, 7: 2.5])])
    #expect(experiment.rowWeights.map(\.key) == ["fit.class_weight", "trials[0].class_weight"])
}

@Test("Starting models are a list, a pattern or a folder, and cross or paired says how they meet the partitions")
func startingModels() throws {
    func model(_ text: String) throws -> ModelSource {
        try Experiment(yaml: "model: \(text)\ndata: {x: x.npy}", file: "e.yaml").model
    }
    #expect(try model("[a.keras, b.keras]") == .files(StartFiles(["a.keras", "b.keras"])))
    #expect(try model("stores/*.keras") == .files(StartFiles(["stores/*.keras"])))
    #expect(try model("stores/") == .files(StartFiles(["stores/"])))
    #expect(try model("{cross: stores/}") == .files(StartFiles(["stores/"], pairing: .cross)))
    #expect(try model("{paired: [a.keras, old/]}") == .files(StartFiles(["a.keras", "old/"], pairing: .paired)))
    func start(_ text: String) throws -> StartFiles? {
        try Experiment(yaml: "model: m.py:build\nstart: \(text)\ndata: {x: x.npy}", file: "e.yaml").start
    }
    #expect(try start("w.weights.h5") == StartFiles(file: "w.weights.h5"))
    #expect(try start("w-*.weights.h5") == StartFiles(["w-*.weights.h5"]))
    #expect(
        try start("{paired: [a.keras, b.weights.h5]}") == StartFiles(["a.keras", "b.weights.h5"], pairing: .paired))
}

@Test("The layers to adapt are all or those that are named, and a run's record of them reads back")
func layersToAdapt() throws {
    func adapt(_ text: String) throws -> AdaptedLayers? {
        let experiment = try Experiment(yaml: "model: a.keras\ndata: {x: x.npy}\n\(text)", file: "e.yaml")
        let kept = try JSONDecoder().decode(Experiment.self, from: JSONEncoder().encode(experiment))
        #expect(kept == experiment)
        return experiment.adapt
    }
    #expect(try adapt("") == nil)
    #expect(try adapt("adapt: false") == nil)
    #expect(try adapt("adapt: true") == .all)
    #expect(try adapt("adapt: scale") == .named(["scale"]))
    #expect(try adapt("adapt: [scale, \"true\"]") == .named(["scale", "true"]))
}
