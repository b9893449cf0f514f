import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// A run whose ledger is gone, torn or damaged is what it was: nothing is trained again that was finished, and what the
    /// ledger held comes back from the units' folders.
    @Suite struct LedgerLossTests {
        private static let epochs = 240
        private static let train = ["train", "experiment.yaml", "--devices", "cpu:1", "--output"]

        /// A run that nothing disturbed, and one that was killed in its second unit.
        private struct Runs: Sendable {
            let place: Workplace
            let results: [TrialObject]
            let models: [String: Data]

            static let shared = Task { try await Runs() }

            private init() async throws {
                place = Workplace()
                try place.writeNumbers("x.npy", shape: [256, 6], stream: 1)
                try place.writeNumbers("y.npy", shape: [256, 1], stream: 2)
                try place.write(
                    "experiment.yaml",
                    """
                    model: \(Tool.models):regression
                    data: {x: x.npy, y: y.npy}
                    trials: {units: [4, 6], seed: {range: 3}}
                    fit: {epochs: \(LedgerLossTests.epochs), batch_size: 16, validation: 0.25}
                    callbacks: [{early_stopping: {monitor: loss, patience: 3, min_delta: 0.0002}}]
                    save: [all, best]
                    checkpoint: {every_epochs: 10}
                    """)
                let whole = try await Tool.run(LedgerLossTests.train + ["whole", "--json"], in: place.root)
                try #require(whole.status == 0, "\(whole)")
                results = try await LedgerLossTests.results("whole", place)
                models = try LedgerLossTests.models("whole", place)
                try #require(results.contains { $0.stoppedBy != nil }, "no trial was stopped: the test tests less")
                var isKilled = false
                let place = place
                let killed = try await Tool.follow(LedgerLossTests.train + ["killed"], in: place.root) {
                    line, control in
                    guard !isKilled, line.hasPrefix("cpu:0: unit 0001,") else { return }
                    isKilled = true
                    try await waitUntil("unit 0001 is well into its training") {
                        let events = (try? place.contents("killed/units/0001/events.ndjson")) ?? Data()
                        return String(decoding: events, as: UTF8.self).contains("checkpoint-000020")
                    }
                    #expect(kill(control, SIGKILL) == 0)
                }
                try #require(killed.status == -Int(SIGKILL), "\(killed)")
            }
        }

        static func results(_ run: String, _ place: Workplace) async throws -> [TrialObject] {
            let outcome = try await Tool.run(["results", run, "--json"], in: place.root)
            try #require(outcome.status == 0, "\(outcome)")
            return try outcome.json([TrialObject].self)
        }

        static func models(_ run: String, _ place: Workplace) throws -> [String: Data] {
            var files: [String: Data] = [:]
            for name in try place.list("\(run)/models") { files[name] = try place.contents("\(run)/models/\(name)") }
            return files
        }

        /// What happens to a ledger.
        enum Damage: Sendable, CaseIterable {
            case gone, empty, halved, garbage, logGone, logTorn, pageFilled

            func happen(_ run: String, _ place: Workplace) throws {
                let ledger = place.path("\(run)/ledger.sqlite").string
                let manager = FileManager.default
                func cut(_ path: String, to size: (UInt64) -> UInt64) throws {
                    guard let file = FileHandle(forUpdatingAtPath: path) else { return }
                    try file.truncate(atOffset: size(try file.seekToEnd()))
                    try file.close()
                }
                switch self {
                case .gone:
                    for suffix in ["", "-wal", "-shm"] where manager.fileExists(atPath: ledger + suffix) {
                        try manager.removeItem(atPath: ledger + suffix)
                    }
                case .empty: try cut(ledger) { _ in 0 }
                case .halved: try cut(ledger) { $0 / 2 }
                case .garbage: try Data(repeating: 0x5A, count: 20_000).write(to: URL(filePath: ledger))
                case .logGone:
                    if manager.fileExists(atPath: ledger + "-wal") { try manager.removeItem(atPath: ledger + "-wal") }
                case .logTorn: try cut(ledger + "-wal") { $0 / 2 }
                case .pageFilled:
                    guard let file = FileHandle(forUpdatingAtPath: ledger) else { return }
                    try file.seek(toOffset: 4096)
                    try file.write(contentsOf: Data(repeating: 0xFF, count: 8192))
                    try file.close()
                }
            }
        }

        private func expectSame(_ results: [TrialObject], _ expected: [TrialObject], _ what: String) {
            #expect(results.count == expected.count, "\(what)")
            for (result, expected) in zip(results, expected) {
                #expect(result.status == expected.status, "\(what): trial \(expected.trial)")
                #expect(result.history == expected.history, "\(what): trial \(expected.trial)")
                #expect(result.metrics == expected.metrics, "\(what): trial \(expected.trial)")
                #expect(result.parameters == expected.parameters && result.seed == expected.seed, "\(what)")
                #expect(result.model == expected.model, "\(what): trial \(expected.trial)")
                #expect(result.bestEpoch == expected.bestEpoch, "\(what): trial \(expected.trial)")
                #expect(result.stoppedEpoch == expected.stoppedEpoch, "\(what): trial \(expected.trial)")
                #expect(result.stoppedBy == expected.stoppedBy, "\(what): trial \(expected.trial)")
                #expect(result.engine == expected.engine && result.device == expected.device, "\(what)")
            }
        }

        @Test(
            "A finished run's results come back whatever happened to its ledger, and the old one is kept",
            arguments: Damage.allCases)
        func finished(_ damage: Damage) async throws {
            let runs = try await Runs.shared.value
            let (place, run) = (runs.place, "finished-\(damage)")
            try FileManager.default.copyItem(atPath: place.path("whole").string, toPath: place.path(run).string)
            try damage.happen(run, place)
            expectSame(try await Self.results(run, place), runs.results, "\(damage)")
            let names = try place.list(run)
            let isDamaged = ![.gone, .logGone, .logTorn].contains(damage)
            #expect(names.contains("ledger.sqlite.unreadable-1") == isDamaged, "\(names)")
            let status = try CommandTests.object(
                try await Tool.run(["status", run, "--json"], in: place.root).output)
            #expect(status["state"] as? String == "finished" && status["epochs_done"] as? Int ?? 0 > 0)
            let resumed = try await Tool.run(["resume", run, "--devices", "cpu:1", "--json"], in: place.root)
            #expect(resumed.status == 0, "\(resumed)")
            #expect(try place.list("\(run)/units") == place.list("whole/units"), "something was trained again")
            #expect(try Self.models(run, place) == runs.models)
        }

        @Test("A bit that flips anywhere in a closed ledger is noticed, and changes no result")
        func flipped() async throws {
            let runs = try await Runs.shared.value
            let (place, run) = (runs.place, "flipped")
            try FileManager.default.copyItem(atPath: place.path("whole").string, toPath: place.path(run).string)
            var state: UInt64 = 20_261_127
            for round in 1...12 {
                var ledger = try place.contents("\(run)/ledger.sqlite")
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let bit = Int(state >> 16) % (ledger.count * 8)
                ledger[bit / 8] ^= 1 << UInt8(bit % 8)
                try ledger.write(to: URL(filePath: place.path("\(run)/ledger.sqlite").string))
                expectSame(try await Self.results(run, place), runs.results, "bit \(bit)")
                #expect(try place.list(run).contains("ledger.sqlite.unreadable-\(round)"), "bit \(bit)")
            }
        }

        /// Changes a closed ledger where SQLite reads on as if nothing had happened: in the application's number of its header.
        static func changeUnseen(_ ledger: FilePath) throws {
            var bytes = try Data(contentsOf: URL(filePath: ledger.string))
            bytes[68] ^= 1
            try bytes.write(to: URL(filePath: ledger.string))
        }

        @Test(
            "Whatever reads a closed ledger notices that it was changed, says so and reads it made anew",
            arguments: [
                (["predict", "RUN", "--trials", "0", "--devices", "cpu:1", "--output", "RUN.npy"], 0),
                (["evaluate", "RUN", "--trials", "0", "--devices", "cpu:1"], 0),
                (["report", "RUN"], 0), (["doctor", "RUN"], 0), (["logs", "RUN", "0"], 0),
                (["export", "RUN", "0", "--to", "keras", "--output", "RUN.keras"], 0),
            ])
        func changed(_ arguments: [String], status: Int) async throws {
            let runs = try await Runs.shared.value
            let (place, run) = (runs.place, "changed-\(arguments[0])")
            try FileManager.default.copyItem(atPath: place.path("whole").string, toPath: place.path(run).string)
            try Self.changeUnseen(place.path("\(run)/ledger.sqlite"))
            let outcome = try await Tool.run(arguments.map { $0.replacing("RUN", with: run) }, in: place.root)
            #expect(outcome.status == status, "\(outcome)")
            #expect(outcome.errors.contains("is made anew"), "\(outcome)")
            #expect(try place.list(run).contains("ledger.sqlite.unreadable-1"), "\(outcome)")
            expectSame(try await Self.results(run, place), runs.results, "\(arguments)")
            #expect(try !place.list(run).contains("ledger.sqlite.unreadable-2"), "the new one was not whole")
        }

        @Test(
            "A killed run whose ledger is damaged goes on as if it were whole", arguments: Damage.allCases)
        func killed(_ damage: Damage) async throws {
            let runs = try await Runs.shared.value
            let (place, run) = (runs.place, "killed-\(damage)")
            try FileManager.default.copyItem(atPath: place.path("killed").string, toPath: place.path(run).string)
            try damage.happen(run, place)
            let before = try place.contents("\(run)/units/0000/events.ndjson")
            let resumed = try await Tool.run(["resume", run, "--devices", "cpu:1", "--json"], in: place.root)
            #expect(resumed.status == 0, "\(resumed)")
            #expect(try resumed.json(SummaryObject.self).finished == 6)
            expectSame(try await Self.results(run, place), runs.results, "\(damage)")
            #expect(try Self.models(run, place) == runs.models)
            #expect(try place.contents("\(run)/units/0000/events.ndjson") == before)
            // An end is reported once it is in the ledger and noted beside the unit.
            let old = Set(try place.list("killed/units"))
            var finished: [Int] = []
            for unit in old {
                guard let note = try? place.contents("killed/units/\(unit)/outcome.json"),
                    let outcome = try JSONSerialization.jsonObject(with: note) as? [String: Any]
                else { continue }
                finished += (outcome["ends"] as? [[String: Any]] ?? []).compactMap { $0["trial"] as? Int }
            }
            for unit in try place.list("\(run)/units") where !old.contains(unit) {
                let description =
                    try JSONSerialization.jsonObject(
                        with: place.contents("\(run)/units/\(unit)/unit.json")) as? [String: Any]
                let trials = (description?["lanes"] as? [[String: Any]] ?? []).compactMap { $0["trial"] as? Int }
                #expect(Set(trials).isDisjoint(with: finished), "a trial that was reported finished is trained again")
            }
        }
    }
}
