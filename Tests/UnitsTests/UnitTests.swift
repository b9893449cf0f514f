import FoundationEssentials
import Testing
import Units

@Suite struct UnitTests {
    static let unit = Unit(
        id: "0007", work: .train, program: .init(folder: "/cache/programs/ab", key: "ab12"),
        packing: .init(lanes: 4, steps: 31, evaluateSteps: 8, form: "vectorized"),
        lanes: [
            .init(
                trial: 12, name: "0012", seed: .max, parameters: ["learning_rate": 0.003], start: .initialize,
                source: 0,
                training: .init(start: nil, count: 1000)),
            .init(
                trial: 13, name: "0013", seed: 5, parameters: [:],
                start: .checkpoint(file: "/runs/a/c.safetensors", lane: 3),
                source: 0, training: .init(start: 0, count: 7), validationSource: 1,
                validation: .init(start: 7, count: 3)),
        ],
        sources: [
            .init(arrays: [
                .init(
                    input: "x", file: "/data/x.npy", offset: 128, dtype: "float32", shape: [1000, 10], fileSize: 40_128,
                    modified: 1_700_000_000_123_456_789)
            ])
        ],
        fit: .init(
            firstEpoch: 2, lastEpoch: 10, initialEpoch: 1, batchSize: 32, stepsPerEpoch: 9, validationBatchSize: 64,
            validationFrequency: .epochs([2, 5]), shuffle: .batch),
        callbacks: [
            .earlyStopping(
                .init(monitor: "val_loss", patience: 3, mode: .min, baseline: 0.5, restoreBestWeights: true)),
            .reduceLROnPlateau(.init(monitor: "loss", mode: .max)),
            .modelCheckpoint(.init(monitor: "loss", saveBestOnly: true, mode: .auto)),
            .learningRateScheduler(.init(schedule: .init(file: "/a/rates.py", function: "decay"))),
            .terminateOnNaN(.init()), .csvLogger(.init(separator: ";")), .swapEMAWeights(.init(swapOnEpoch: true)),
            .python(.init(file: "/a/mine.py", function: "callbacks")),
        ],
        save: .init(
            final: true, initial: true, best: .init(monitor: "val_loss", lessIsBetter: true), checkpointSeconds: 60))

    @Test("A runner reads exactly the unit that the control process wrote")
    func roundTrip() throws {
        #expect(try Unit(json: Self.unit.json()) == Self.unit)
    }

    @Test("What trains a unit, and what a fit runner needs, arrives as it was written")
    func fitEngine() throws {
        var unit = Self.unit
        #expect(unit.engine == .native)
        unit.engine = .fit(
            .init(
                backend: .tensorflow, model: #"{"kind":"function","file":"/m.py","arguments":{"rate":1.0}}"#,
                offered: #"{"seed":7}"#, roles: [.x, .y, .sampleWeight]))
        let text = String(decoding: try unit.json(), as: UTF8.self)
        #expect(try Unit(json: unit.json()) == unit)
        #expect(text.contains(#"\"rate\":1.0"#), "a whole float is still a float for Python")
        #expect(text.contains(#""sample_weight""#))
    }

    @Test("The same unit is always the same bytes, with paths as people read them")
    func stableText() throws {
        let text = String(decoding: try Self.unit.json(), as: UTF8.self)
        #expect(try Self.unit.json() == Self.unit.json())
        #expect(text.contains("/cache/programs/ab"))
        #expect(Self.unit.version == Unit.currentVersion)
    }

    @Test("A file that is no unit is refused", arguments: ["", "{}", "[]", "{\"version\": 1}", "not JSON"])
    func notAUnit(text: String) {
        #expect(throws: (any Error).self) { try Unit(json: Data(text.utf8)) }
    }
}

@Suite struct RunnerEventTests {
    static let events: [RunnerEvent.What] = [
        .ready(device: "cuda:1", platform: "cuda", memory: 85_000_000_000),
        .ready(device: "cpu:0", platform: "cpu", memory: nil),
        .started, .compiling(function: "train-v64x31x32.mlirbc"),
        .compiled(
            function: "train", seconds: 0.5, cached: true,
            memory: .init(arguments: 100, outputs: 80, aliased: 60, temporary: 7)),
        .working(on: "train 31x32"), .beat(epoch: 2, step: 31, steps: 310, call: 0.25),
        .checkpoint(epochs: 3, file: "checkpoint-3.safetensors"),
        .stopped(epochs: 3), .narrowed(epochs: 7), .ended(lane: 3, epochs: 5, by: "early_stopping"),
        .best(lane: 3, epoch: 2), .epoch(epoch: 0, seconds: 0.25, lanes: [0, 3], metrics: ["loss": [0.5, 1.5e-9]]),
        .trained(seconds: 12), .saved(trial: 4, file: "models/0004.keras", kind: "final", bytes: 20_000),
        .finished(seconds: 13), .failed(code: "out_of_memory", message: "no \"room\"\nfor 64 lanes\u{2028}"),
    ]

    @Test("Whatever a runner says arrives as it was said, in one line", arguments: events)
    func roundTrip(what: RunnerEvent.What) throws {
        let event = RunnerEvent(number: 7, time: 1_700_000_000.25, unit: "0003", what: what)
        let line = try event.line()
        #expect(!line.contains(UInt8(ascii: "\n")))
        #expect(try RunnerEvent(line: line) == event)
    }

    @Test(
        "What a runner says of lanes, trials or epochs that the unit has not is refused, and ends no control process",
        arguments: [
            .epoch(epoch: 2, seconds: 1, lanes: [0, 2], metrics: ["loss": [0.5, 0.5]]),
            .epoch(epoch: 2, seconds: 1, lanes: [-1], metrics: ["loss": [0.5]]),
            .epoch(epoch: 2, seconds: 1, lanes: [0, 1], metrics: ["loss": [0.5]]),
            .ended(lane: 2, epochs: 3, by: "early_stopping"), .ended(lane: 0, epochs: .min, by: "early_stopping"),
            .saved(trial: 13, file: "models/../../../0013.keras", kind: "final", bytes: 1),
            .saved(trial: 13, file: "/tmp/0013.keras", kind: "final", bytes: 1),
            .saved(trial: 13, file: "models/0014.keras", kind: "final", bytes: 1),
            .checkpoint(epochs: 3, file: "../checkpoint-000003.safetensors"),
            .checkpoint(epochs: 3, file: "checkpoint-/../../000003.safetensors"),
            .diverged(lane: 2, epochs: 3, kept: 1), .diverged(lane: 0, epochs: 3, kept: 3),
            .best(lane: 2, epoch: 2), .saved(trial: 11, file: "models/0011.keras", kind: "final", bytes: 1),
            .checkpoint(epochs: 1, file: "checkpoint-000001.safetensors"),
            .checkpoint(epochs: 11, file: "checkpoint-000001.safetensors"),
        ] as [RunnerEvent.What])
    func impossible(what: RunnerEvent.What) {
        #expect(!UnitTests.unit.permits(what))
    }

    @Test(
        "What a runner says of the unit's own lanes and trials is heard",
        arguments: [
            .epoch(epoch: 2, seconds: 1, lanes: [1], metrics: ["loss": [.nan]]),
            .epoch(epoch: 9, seconds: 1, lanes: [], metrics: [:]), .ended(lane: 1, epochs: 3, by: "early_stopping"),
            .best(lane: 0, epoch: 0), .saved(trial: 13, file: "models/0013.keras", kind: "final", bytes: 1),
            .checkpoint(epochs: 3, file: "checkpoint-000003.safetensors"), .trained(seconds: 1),
            .diverged(lane: 1, epochs: 3, kept: 2),
        ] as [RunnerEvent.What])
    func possible(what: RunnerEvent.What) {
        #expect(UnitTests.unit.permits(what))
    }

    @Test("A loss that is not a number is reported as one, and does not silence the epoch")
    func notFinite() throws {
        let what = RunnerEvent.What.epoch(
            epoch: 3, seconds: 1, lanes: [0, 1, 2, 3], metrics: ["loss": [.nan, .infinity, -.infinity, 0.5]])
        let line = try RunnerEvent(number: 0, time: 0, unit: "0000", what: what).line()
        guard case .epoch(let epoch, _, _, let metrics) = try RunnerEvent(line: line).what else {
            Issue.record("an epoch came back as another event")
            return
        }
        let values = try #require(metrics["loss"])
        #expect(epoch == 3)
        #expect(values.count == 4)
        #expect(values[0].isNaN)
        #expect(Array(values[1...]) == [.infinity, -.infinity, 0.5])
    }

    @Test(
        "Metrics keep every digit",
        arguments: [Double(Float(0.1)), 1.0 / 3, .leastNonzeroMagnitude, .greatestFiniteMagnitude, -0.0])
    func everyDigit(value: Double) throws {
        let event = RunnerEvent(
            number: 0, time: 0, unit: nil, what: .epoch(epoch: 0, seconds: 0, lanes: [0], metrics: ["loss": [value]]))
        guard case .epoch(_, _, _, let metrics) = try RunnerEvent(line: event.line()).what else { return }
        #expect(metrics["loss"]?.first?.bitPattern == value.bitPattern)
    }

    @Test("The need of memory is arguments and outputs, those in the same place counted once, and temporaries")
    func memoryTotal() {
        #expect(RunnerEvent.Memory(arguments: 100, outputs: 80, aliased: 60, temporary: 7).total == 127)
    }

    @Test(
        "A line that is no event is refused, whatever a plugin prints between them",
        arguments: ["", "{", "I0000 plugin", "{\"number\": 1}"])
    func notAnEvent(line: String) {
        #expect(throws: (any Error).self) { try RunnerEvent(line: Data(line.utf8)) }
    }
}
