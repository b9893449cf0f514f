import Experiments
import Testing

private func experiment(_ space: TrialSpace) throws -> Experiment {
    try Experiment(model: .function("m.py", "build"), data: DataDescription(x: "x.npy"), trials: space, seed: 9)
}

@Test func trialsComeInTheOrderOfTheFile() throws {
    let trials = try experiment(.product([Axis("units", [32, 64]), Axis("seed", 5..<8)])).trials(partitions: ["a", "b"])
    #expect(trials.count == 12)
    #expect(trials.map(\.index) == Array(0..<12))
    #expect(trials.map(\.partitionLabel) == Array(repeating: "a", count: 6) + Array(repeating: "b", count: 6))
    #expect(trials.prefix(6).map(\.seed) == [5, 6, 7, 5, 6, 7])
    #expect(trials.prefix(6).map { $0.parameters["units"] } == [32, 32, 32, 64, 64, 64])
    #expect(trials[10].name == "0010")
    #expect(trials[10].parameters == ["units": 64, "seed": 6])
    #expect(trials[10].arguments == ["units": 64])
    #expect(trials[10].partition == 1)
}

@Test func listedTrialsAreTakenAsTheyAre() throws {
    let trials = try experiment(.list([["units": 32, "seed": 3], ["units": 64]])).trials(partitions: ["all"])
    #expect(trials.map(\.seed) == [3, 9])
    #expect(trials.map(\.parameters) == [["units": 32, "seed": 3], ["units": 64]])
}

@Test func namesGrowWithTheNumberOfTrials() throws {
    let trials = try experiment(.product([Axis("seed", 0..<10_000)])).trials(partitions: ["all"])
    #expect(trials.first?.name == "00000")
    #expect(trials.last?.name == "09999")
}

@Test func tooManyTrialsAreRefused() throws {
    let experiment = try experiment(.product([Axis("seed", 0..<1000), Axis("units", 0..<1000)]))
    let error = #expect(throws: ExperimentError.self) { try experiment.trials(partitions: ["a", "b"]) }
    #expect(
        error?.description
            == "trials: 2 partitions × 1000000 combinations make 2000000 trials; an experiment has at most 1000000")
}

@Test("An axis over a setting of fit overrides it, and does not reach the build function")
func fitSettingsOfTrials() throws {
    var experiment = try experiment(
        .product([
            Axis("units", [32]), Axis("batch_size", [16, nil]), Axis("epochs", [4, 6]),
            Axis("validation_freq", [2, [1, 4]]), Axis("shuffle", [false, "batch"]),
        ]))
    experiment.fit = FitOptions(epochs: 9, batchSize: 8, initialEpoch: 3)
    let trials = try experiment.trials(partitions: ["all"])
    #expect(trials.allSatisfy { $0.arguments == ["units": 32] })
    #expect(trials[0].parameters["batch_size"] == 16)
    #expect(
        trials[0].fit
            == FitOptions(epochs: 4, batchSize: 16, shuffle: false, validationFrequency: 2, initialEpoch: 3))
    #expect(
        trials[15].fit
            == FitOptions(epochs: 6, batchSize: nil, shuffle: .batch, validationFrequency: [1, 4], initialEpoch: 3))
}

@Test("The batch size is Keras's where none is given: 32, or what makes steps_per_epoch steps of the rows")
func kerasBatchSizes() {
    #expect(FitOptions().batchSize(rows: 1000) == 32)
    #expect(FitOptions(stepsPerEpoch: 3).batchSize(rows: 100) == 34)
    #expect(FitOptions(batchSize: 7, stepsPerEpoch: 3).batchSize(rows: 100) == 7)
    #expect(FitOptions().validationBatchSize(rows: 100) == 32)
    #expect(FitOptions(batchSize: 7).validationBatchSize(rows: 100) == 7)
    #expect(FitOptions(batchSize: 7, validationBatchSize: 5).validationBatchSize(rows: 100) == 5)
    #expect(FitOptions(validationSteps: 3).validationBatchSize(rows: 100) == 34)
}

@Test("Every starting model meets every partition and combination, and is called by its file's name")
func crossedModels() throws {
    let experiment = try Experiment(
        model: .files(StartFiles(["/s/a.keras", "/s/b.keras"])), data: DataDescription(x: "x.npy"),
        axes: [Axis("seed", 0..<2)])
    let trials = try experiment.trials(partitions: ["p", "q"])
    #expect(trials.map(\.partitionLabel) == ["p", "p", "p", "p", "q", "q", "q", "q"])
    #expect(trials.map { $0.parameters["model"] }.prefix(4) == ["a.keras", "a.keras", "b.keras", "b.keras"])
    #expect(trials.map(\.seed) == [0, 1, 0, 1, 0, 1, 0, 1])
    #expect(trials[2].start == TrialStart(file: "/s/b.keras", axis: "model"))
    #expect(trials.allSatisfy { $0.arguments.isEmpty })
    #expect(trials.last?.name == "0007")
}

@Test("Paired models go to the partitions of their names, else in order; their numbers must agree")
func pairedModels() throws {
    func files(_ paths: [String], _ labels: [String]) throws -> [String?] {
        try Experiment(model: .files(StartFiles(paths, pairing: .paired)), data: DataDescription(x: "x.npy"))
            .trials(partitions: labels).map(\.start?.file)
    }
    #expect(
        try files(["m/1.keras", "m/10.keras", "m/2.keras"], ["1", "2", "10"]) == [
            "m/1.keras", "m/2.keras", "m/10.keras",
        ])
    #expect(try files(["b.keras", "a.keras"], ["fold-0", "fold-1"]) == ["b.keras", "a.keras"])
    let error = #expect(throws: ExperimentError.self) { try files(["a.keras"], ["fold-0", "fold-1"]) }
    #expect(
        error?.description == "model: 1 files cannot be paired with 2 partitions: give as many, or use cross")
}

@Test("A file of weights for all trials is no axis; several are, and their names do not reach the build function")
func startingWeights() throws {
    var experiment = try experiment(.product([Axis("units", [32])]))
    experiment.start = StartFiles(file: "w.weights.h5")
    let one = try experiment.trials(partitions: ["all"])
    #expect(one.map(\.parameters) == [["units": 32]])
    #expect(one[0].start == TrialStart(file: "w.weights.h5", axis: nil))
    experiment.start = StartFiles(["x/w.weights.h5", "y/w.weights.h5"])
    let several = try experiment.trials(partitions: ["all"])
    #expect(several.map { $0.parameters["start"] } == ["x/w.weights.h5", "y/w.weights.h5"])
    #expect(several.map(\.arguments) == [["units": 32], ["units": 32]])
}
