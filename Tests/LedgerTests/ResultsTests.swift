import FoundationEssentials
import Testing

@testable import Ledger

@Suite struct ResultsTests {
    @Test("Sorted results begin with the best trial; those without a number come last")
    func sorting() throws {
        let ledger = try Ledger.finished(losses: [
            (.sample(0), 0.5), (.sample(1), .nan), (.sample(2), 0.25), (.sample(3), .infinity), (.sample(4), 0.5),
        ])
        try ledger.add(trials: [.sample(5)])
        #expect(try ledger.results(sortedBy: Ranking("loss", .lower)).map(\.trial) == [2, 0, 4, 3, 1, 5])
        #expect(try ledger.results(sortedBy: Ranking("loss", .higher)).map(\.trial) == [3, 0, 4, 2, 1, 5])
        #expect(try ledger.results(filter: .finished).map(\.trial) == [0, 1, 2, 3, 4])
        #expect(try ledger.results(filter: TrialFilter(trials: [4, 2], limit: 1)).map(\.trial) == [2])
        #expect(try ledger.best(by: Ranking("loss", .lower))?.trial == 2)
        try ledger.fail(trials: [2], as: .diverged, message: "NaN")
        #expect(try ledger.best(by: Ranking("loss", .lower))?.trial == 0)
    }

    @Test("A metric that no trial has is refused with the names of those there are")
    func unknownMetric() throws {
        let ledger = try Ledger.finished(losses: [(.sample(0), 0.5)])
        let error = #expect(throws: LedgerError.self) { try ledger.results(sortedBy: Ranking("val_los", .lower)) }
        #expect(error?.code == .badRequest)
        #expect(error?.message.contains("there are loss") == true)
        #expect(throws: LedgerError.self) { try ledger.groups(by: ["units"], comparing: Ranking("loss", .lower)) }
        #expect(throws: LedgerError.self) { try ledger.groups(by: [], comparing: Ranking("mae", .lower)) }
    }

    @Test("The engine of each trial is told, with its reason, and stands in tables where there are two")
    func engines() throws {
        let ledger = try Ledger.finished(losses: [(.sample(0), 0.5), (.sample(1), 0.25)])
        try ledger.choose(engine: "native", reason: nil, trials: [0, 1])
        #expect(!ResultTable.results(try ledger.results()).contains("engine"))
        try ledger.choose(engine: "fit", reason: "the model needs TensorFlow", trials: [1])
        let results = try ledger.results()
        #expect(results.map(\.engine) == ["native", "fit"])
        #expect(results.map(\.engineReason) == [nil, "the model needs TensorFlow"])
        let table = ResultTable.results(results)
        #expect(table.contains("engine") && table.contains("native") && table.contains(" fit "))
        #expect(throws: LedgerError.self) { try ledger.choose(engine: "fit", reason: nil, trials: [9]) }
    }

    @Test("Groups hold the mean, the sample deviation, the extremes and the best trial")
    func groups() throws {
        let ledger = try Ledger.finished(losses: [
            (.sample(0, rate: 0.1, partition: 0), 1e9 + 1), (.sample(1, rate: 0.1, partition: 1), 1e9 + 2),
            (.sample(2, rate: 0.1, partition: 0), 1e9 + 6), (.sample(3, rate: 0.2, partition: 1, label: "b"), 7),
            (.sample(4, rate: 0.2), .nan), (.sample(5, rate: 0.3), .nan),
        ])
        try ledger.add(trials: [.sample(6, rate: 0.4)])
        let groups = try ledger.groups(by: ["learning_rate"], comparing: Ranking("loss", .lower))
        #expect(groups.map { $0.keys["learning_rate"] } == [0.1, 0.2, 0.3])
        #expect(groups.map(\.count) == [3, 1, 0])
        #expect(groups.map(\.missing) == [0, 1, 1])
        #expect(groups.map(\.best) == [0, 3, nil])
        #expect(groups[0].mean == 1e9 + 3)
        // Values 1, 2, 6 around a mean of 3: (4 + 1 + 9) / 2.
        #expect(abs(groups[0].standardDeviation - 7.0.squareRoot()) < 1e-6)
        #expect((groups[0].minimum, groups[0].maximum) == (1e9 + 1, 1e9 + 6))
        #expect(groups[1].mean == 7)
        #expect(groups[1].standardDeviation.isNaN)
        #expect(groups[2].mean.isNaN)
        let partitions = try ledger.groups(
            by: ["partition", "learning_rate"], comparing: Ranking("loss", .lower), filter: .finished)
        #expect(partitions.map { $0.keys["partition"] } == [0, 1, "b", .null, .null])
        #expect(try ledger.groups(by: [], comparing: Ranking("loss", .lower)).map(\.count) == [4])
        #expect(try ledger.groups(by: [], comparing: Ranking("loss", .higher)).map(\.best) == [2])
    }

    @Test("The JSON of a result holds every key that programs rely on, and null for NaN")
    func json() throws {
        let ledger = try Ledger.finished(losses: [(.sample(0, partition: 3), .nan), (.sample(1), 0.5)])
        try ledger.add(trials: [.sample(2)])
        var text = ""
        try ledger.writeJSON { text += $0 }
        #expect(text == ResultsJSON.list(try ledger.results()))

        struct Object: Decodable {
            var trial: Int
            var parameters: [String: Double]
            var partition: Int?
            var rows: Int
            var status: String
            var metrics: [String: Double?]
            var bestEpoch: Int?
            var model: String?
            var history: [String: [Double?]]
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let objects = try decoder.decode([Object].self, from: Data(text.utf8))
        #expect(objects.map(\.trial) == [0, 1, 2])
        #expect(objects.map(\.partition) == [3, nil, nil])
        #expect(objects[0].parameters == ["learning_rate": 0.001])
        #expect(objects[0].metrics == ["loss": Double?.none])
        #expect(objects[1].history == ["loss": [0.5]])
        #expect(objects[1].model == "models/trial-1.keras")
        #expect(objects.map(\.status) == ["finished", "finished", "waiting"])
        let first = try #require(text.split(separator: "\n").dropFirst().first)
        for key in [
            "trial", "parameters", "partition", "rows", "status", "metrics", "best_epoch", "model", "history",
            "stopped_by",
        ] {
            #expect(first.contains("\"\(key)\":"))
        }
        var empty = ""
        try Ledger.inMemory().writeJSON { empty += $0 }
        #expect(empty == "[]\n")
    }

    @Test(
        "A trial that a callback ended says when and by which, counts what it did as planned, and begins anew without it"
    )
    func stopped() throws {
        let ledger = try Ledger.inMemory()
        try ledger.begin(.digits)
        try ledger.add(trials: [.sample(0, epochs: 9), .sample(1, epochs: 9)])
        try ledger.unitStarted(.sample("u1", [0, 1]))
        for epoch in 0..<4 {
            try ledger.record(
                epoch: epoch, trials: epoch < 3 ? [0, 1] : [1], seconds: 1,
                metrics: [
                    "loss": epoch < 3 ? [1, 2] : [2]
                ])
        }
        try ledger.stopped(trial: 0, TrialStop(epoch: 2, by: "early_stopping"))
        let progress = try ledger.progress(at: 2000)
        #expect((progress.stoppedEarly, progress.epochsDone, progress.epochsPlanned) == (1, 7, 12))
        #expect(progress.devices.map(\.epochsPlanned).max() == 12)

        try ledger.finish(
            [
                TrialEnd(trial: 0, model: nil, stop: TrialStop(epoch: 2, by: "early_stopping")),
                TrialEnd(trial: 1, model: nil),
            ],
            at: 1020)
        let results = try ledger.results()
        #expect(results.map(\.stop) == [TrialStop(epoch: 2, by: "early_stopping"), nil])
        #expect(ResultsJSON.object(results[0]).contains("\"stopped_epoch\":2,\"stopped_by\":\"early_stopping\""))
        #expect(ResultTable.results(results).contains("stopped"))
        #expect(try ledger.epochs(of: 0).map(\.epoch) == [0, 1, 2])

        // Goes on after four epochs: the trial that had ended has its three still.
        try ledger.requeue(trials: [0, 1], epochs: 4)
        #expect(try ledger.results().map(\.stop) == [nil, nil])
        #expect(try ledger.results().map(\.epochs) == [3, 4])
        #expect(try ledger.results().map { $0.history["loss"]?.count } == [3, 4])
    }

    @Test("Units that were lost are attempts; one that went on in a smaller program, or for more epochs, is not")
    func attempts() throws {
        let ledger = try Ledger.inMemory()
        try ledger.begin(.digits)
        try ledger.add(trials: (0..<5).map { .sample($0) })
        func unit(_ id: String, _ trials: [Int], at time: Double, _ status: UnitRecord.Status?) throws {
            var unit = UnitRecord.sample(id, trials)
            unit.started = time
            try ledger.unitStarted(unit)
            if let status { try ledger.unitEnded(id, status, at: time + 1) }
        }
        try unit("0", [0, 1, 2, 3], at: 1, .failed)
        try unit("1", [0, 1, 2, 3], at: 2, .failed)
        try unit("2", [0, 1], at: 3, .finished)
        try unit("3", [2, 3], at: 4, .failed)
        // Trial 0 goes on in a smaller program, 2 fails for good, 3 is being tried again, 4 has not begun.
        try unit("4", [0], at: 5, .finished)
        try unit("5", [3], at: 6, nil)
        #expect(try ledger.results().map(\.attempts) == [3, 3, 3, 4, 0])
        let progress = try ledger.progress(at: 2000)
        #expect((progress.retried, progress.retries) == (4, 9))
        let table = ResultTable.results(try ledger.results())
        #expect(table.contains("attempts"))
        #expect(ResultsJSON.object(try ledger.results()[3]).contains("\"attempts\":4,"))
        let quiet = try Ledger.finished(losses: [(.sample(0), 0.5)])
        #expect(try quiet.results().map(\.attempts) == [1])
        #expect(!ResultTable.results(try quiet.results()).contains("attempts"))
        #expect(try quiet.progress(at: 2000).retries == 0)
    }

    @Test("Names and texts with commas, quotes and line ends survive a CSV reader")
    func csv() throws {
        let ledger = try Ledger.inMemory()
        var trial = TrialRecord.sample(0)
        trial.parameters = ["act": "re,lu", "size": [1, 2], "rows": 7]
        try ledger.add(trials: [trial, .sample(1)])
        try ledger.record(
            epoch: 0, trials: [0, 1], seconds: 1, metrics: ["loss": [0.5, .nan], "val_loss": [.infinity, 1]])
        try ledger.fail(trials: [0], message: "said \"no\"\r\nand left")
        var text = ""
        try ledger.writeCSV { text += $0 }
        #expect(
            text == """
                trial,name,seed,partition,partition_label,act,size,parameter:rows,learning_rate,loss,val_loss,\
                rows,validation_rows,status,message,epochs,attempts,best_epoch,stopped_epoch,stopped_by,model,engine,engine_reason,device,seconds\r
                0,trial-0,0,,,"re,lu","[1,2]",7,,0.5,inf,100,20,failed,"said ""no""\r
                and left",1,0,,,,,xla,,,\r
                1,trial-1,1,,,,,,0.001,nan,1.0,100,20,waiting,,1,0,,,,,xla,,,\r\n
                """)
        #expect(try ResultsCSV.table(ledger.results()) == text)
    }

    @Test("The metric that trials are compared by stands first, where a narrow terminal shows it")
    func metricFirst() throws {
        let ledger = try Ledger.finished(losses: [(.sample(0), 0.5)])
        try ledger.record(epoch: 1, trials: [0], seconds: 1, metrics: ["loss": [0.25], "val_loss": [0.75]])
        func titles(by metric: String?) throws -> [Substring] {
            let table = ResultTable.results(try ledger.results(), by: metric)
            return (table.split(separator: "\n").first ?? "").split(separator: " ").filter { $0.hasSuffix("loss") }
        }
        #expect(try titles(by: nil) == ["loss", "val_loss"])
        #expect(try titles(by: "val_loss") == ["val_loss", "loss"])
    }

    @Test("Tables line up, and give way to a narrow terminal without cutting a number")
    func tables() throws {
        let ledger = try Ledger.finished(losses: [
            (.sample(0, partition: 0, label: "a store with a long name"), 0.123456),
            (.sample(10, rate: 0.01), 1234.5678),
        ])
        try ledger.fail(trials: [10], message: "the runner died\nof signal 9")
        let results = try ledger.results()
        #expect(
            ResultTable.results(results) == """
                trial  learning_rate  partition                 status       loss  message
                ─────  ─────────────  ────────────────────────  ────────  ───────  ───────────────────────────
                    0          0.001  a store with a long name  finished  0.12346
                   10           0.01                            failed     1234.6  the runner died of signal 9

                """)
        let narrow = ResultTable.results(results, width: 60).split(separator: "\n")
        #expect(narrow.allSatisfy { $0.count <= 60 })
        #expect(narrow[2].contains("a store") && narrow[2].contains("0.12346") && narrow[2].contains("…"))
        let tiny = ResultTable.results(results, width: 24).split(separator: "\n")
        #expect(tiny.allSatisfy { $0.count <= 24 && $0.hasSuffix("…") })
        #expect(
            ResultTable.groups(
                try ledger.groups(by: ["learning_rate"], comparing: Ranking("loss", .lower)), metric: "loss") == """
                    learning_rate  trials  without     loss  ±      min      max  best trial
                    ─────────────  ──────  ───────  ───────  ─  ───────  ───────  ──────────
                            0.001       1        0  0.12346     0.12346  0.12346           0
                             0.01       0        1

                    """)
    }

    @Test(
        "Numbers in tables keep their significant digits",
        arguments: [
            (0.0, "0"), (1, "1.0000"), (-0.5, "-0.50000"), (0.00012345678, "0.00012346"), (1234567, "1234567"),
            (1.5e-7, "1.5000e-7"), (-2.5e12, "-2.5000e12"), (.infinity, "inf"), (.nan, "nan"), (99999.7, "100000"),
        ])
    func numbers(value: Double, text: String) {
        #expect(ResultTable.number(value) == text)
    }

    @Test("Texts of any kind come back from the ledger's JSON")
    func jsonText() throws {
        let text = "a\"b\\c\n\t\u{1}é🦌/"
        let value: ParameterValue = .object([
            text: .list([.text(text), .bool(true), .null, -3, 1e-5, []]), "e": .object([:]),
        ])
        #expect(try JSON.parse(value.json) == value)
        #expect(try JSON.parse(#" {"a" : "\u00e9\ud83e\udd8c\/" , "b":[ ] } "#) == .object(["a": "é🦌/", "b": []]))
        for broken in ["", "{", "[1,]x", "{\"a\"}", "\"abc", "nul", "1 2", #""\ud83e""#, "{\"a\":1"] {
            #expect(throws: JSON.Malformed.self) { try JSON.parse(broken) }
        }
        #expect(throws: JSON.Malformed.self) { try JSON.parse(String(repeating: "[", count: 100_000)) }
    }
}
