import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// A run's folder as version 0.1.0 left it, before runs kept a list of their trials: it opens, goes on and takes more for ever.
    @Suite struct FrozenRunTests {
        private static func place() throws -> Workplace {
            let place = Workplace()
            try place.regression(seeds: 3)
            for folder in ["run", "run/models", "run/units", "run/units/0000", "run/logs"] {
                try FileManager.default.createDirectory(
                    atPath: place.path(folder).string, withIntermediateDirectories: true)
            }
            let file = String(decoding: try place.contents("experiment.yaml"), as: UTF8.self)
            try place.write("run/experiment.yaml", file)
            try place.write("run/run.json", description(place.root))
            try place.write("run/units/0000/unit.json", unit(place.root))
            try place.write("run/units/0000/events.ndjson", events)
            try place.write("ledger.sql", frozenRunLedger)
            for name in ["0000", "0001"] { try place.write("run/models/\(name).keras", "the model \(name)") }
            return place
        }

        /// Makes the ledger's file, by Python's own SQLite.
        private static func makeLedger(_ place: Workplace) async throws {
            struct Answer: Decodable { var tables: Int }
            let answer = try await Tool.python(
                "make_ledger.py", ["ledger.sql", "run/ledger.sqlite"], in: place.root, as: Answer.self)
            #expect(answer.tables > 7)
        }

        private static let resume = ["resume", "run", "--devices", "cpu:1", "--json"]

        @Test("It shows its results as they were, and trains what is left")
        func opens() async throws {
            let place = try Self.place()
            try await Self.makeLedger(place)
            let before = try await LedgerLossTests.results("run", place)
            #expect(before.map(\.status) == ["finished", "finished", "waiting"])
            #expect(before[0].history == ["loss": [0.4795137345790863, 0.466807097196579]])
            #expect(before[1].model == "models/0001.keras")

            let resumed = try await Tool.run(Self.resume, in: place.root)
            #expect(resumed.status == 0, "\(resumed)")
            let after = try await LedgerLossTests.results("run", place)
            #expect(after.map(\.status) == ["finished", "finished", "finished"])
            #expect(after.prefix(2).map(\.history) == before.prefix(2).map(\.history))
            #expect(try place.contents("run/models/0000.keras") == Data("the model 0000".utf8))
            #expect(try place.list("run/models") == ["0000.keras", "0001.keras", "0002.keras"])

            // The same file as it is read today is no other experiment, and more can be asked for.
            let text = String(decoding: try place.contents("experiment.yaml"), as: UTF8.self)
            try place.write(
                "experiment.yaml",
                text.replacing("range: 3", with: "range: 4").replacing("epochs: 2", with: "epochs: 3"))
            let longer = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run", "--json"], in: place.root)
            #expect(longer.status == 0, "\(longer)")
            let results = try await LedgerLossTests.results("run", place)
            #expect(results.map { $0.history["loss"]?.count } == [3, 3, 3, 3])
            #expect(results.map(\.seed) == [0, 1, 2, 3])
        }

        @Test("Without its ledger it is made anew from its units and its experiment")
        func withoutLedger() async throws {
            let place = try Self.place()
            let unreadable = try await Tool.run(["results", "run"], in: place.root)
            #expect(unreadable.status == 2 && unreadable.errors.contains("ledger.sqlite"), "\(unreadable)")
            let resumed = try await Tool.run(Self.resume, in: place.root)
            #expect(resumed.status == 0, "\(resumed)")
            let results = try await LedgerLossTests.results("run", place)
            #expect(results.map(\.status) == ["finished", "finished", "finished"])
            #expect(results[0].history == ["loss": [0.4795137345790863, 0.466807097196579]])
            #expect(results[1].model == "models/0001.keras")
            #expect(try place.contents("run/models/0000.keras") == Data("the model 0000".utf8))
        }

        private static func description(_ root: FilePath) -> String {
            """
            {"checkpointSeconds": 30, "devices": 1, "folder": "\(root)", "version": 1, "experiment": {
              "backend": "auto", "callbacks": [],
              "data": {"columns": [], "npz": [], "x": [{"locations": ["x.npy"], "name": "x"}],
                       "y": [{"locations": ["y.npy"], "name": "y"}]},
              "engine": "auto", "file": "experiment.yaml",
              "fit": {"batchSize": 16, "epochs": 2, "initialEpoch": 0, "shuffle": "rows",
                      "validation": {"automatic": {}}, "validationFrequency": {"every": {"_0": 1}}},
              "model": {"function": {"_0": {"file": "\(Tool.models)", "function": "regression"}}},
              "name": "experiment", "partition": {"none": {}},
              "positions": {"": {"column": 1, "file": "experiment.yaml", "line": 1},
                            "model": {"column": 1, "file": "experiment.yaml", "line": 1}},
              "save": {"all": true, "initial": false}, "seed": 0,
              "space": {"product": {"_0": [{"name": "seed", "values": [0, 1, 2]}]}}}}
            """
        }

        private static func unit(_ root: FilePath) -> String {
            """
            {"callbacks":[],"engine":{"native":{}},"fit":{"batchSize":16,"firstEpoch":0,"initialEpoch":0,"lastEpoch":2,\
            "shuffle":"rows","validationBatchSize":16,"validationFrequency":{"every":{"_0":1}}},"id":"0000","lanes":[\
            {"name":"0000","parameters":{},"seed":0,"source":0,"start":{"initialize":{}},"training":{"count":64},"trial":0},\
            {"name":"0001","parameters":{},"seed":1,"source":0,"start":{"initialize":{}},"training":{"count":64},"trial":1}],\
            "packing":{"evaluateSteps":0,"form":"vectorized","lanes":2,"steps":4},\
            "program":{"folder":"/cache/programs/8a6e94cdd928b4304d752be6/1","key":"1150d371"},"rowsFile":"rows.npy",\
            "save":{"checkpointSeconds":30,"final":true,"initial":false},"sources":[{"arrays":[{"dtype":"float32",\
            "file":"\(root)/x.npy","fileSize":1664,"input":"x","modified":1795822794745058574,"offset":128,"shape":[64,6]}]}],\
            "version":2,"work":"train"}
            """
        }

        private static let events = """
            {"time":1795822835.2,"unit":"0000","what":{"started":{}},"number":1}
            {"time":1795822839.4,"unit":"0000","number":10,"what":{"epoch":{"epoch":0,"metrics":{"loss":[0.4795137345790863,\
            0.5865880846977234]},"seconds":2.88,"lanes":[0,1]}}}
            {"number":11,"unit":"0000","time":1795822839.5,"what":{"epoch":{"lanes":[0,1],"metrics":{"loss":\
            [0.466807097196579,0.5652965307235718]},"epoch":1,"seconds":0.0014}}}
            {"time":1795822839.5,"unit":"0000","what":{"trained":{"seconds":4.226131557}},"number":12}
            {"number":14,"time":1795822839.5,"unit":"0000","what":{"saved":{"kind":"final","trial":0,"bytes":21415,\
            "file":"models/0000.keras"}}}
            {"what":{"saved":{"kind":"final","bytes":21415,"trial":1,"file":"models/0001.keras"}},"number":15,\
            "time":1795822839.5,"unit":"0000"}
            {"time":1795822839.5,"unit":"0000","number":16,"what":{"finished":{"seconds":4.257350771}}}

            """
    }
}
