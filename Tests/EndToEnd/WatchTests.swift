import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// Files that come while others train.
    @Suite struct WatchTests {
        private static let train = ["train", "experiment.yaml", "--devices", "cpu:1", "--output"]

        private static func place(_ data: String, watch: String, folders: [String] = ["parts"]) throws -> Workplace {
            let place = Workplace()
            for folder in folders {
                try FileManager.default.createDirectory(
                    atPath: place.path(folder).string, withIntermediateDirectories: false)
            }
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):regression
                data: \(data)
                partition: {by: file\(watch)}
                trials: {seed: [3]}
                fit: {epochs: 3, batch_size: 16}
                """)
            return place
        }

        /// One trial's rows, under their names once they are whole, as a producer writes them; `y` long after `x`.
        private static func produce(_ number: Int, _ place: Workplace, rows: Int = 40) throws {
            for (stream, (name, columns)) in [("x", 6), ("y", 1)].enumerated() {
                try place.writeNumbers(
                    "parts/.\(name)-\(number)", shape: [rows, columns], stream: UInt64(2 * number + stream))
                let (made, name) = (place.path("parts/.\(name)-\(number)"), place.path("parts/\(name)-\(number).npy"))
                try #require(rename(made.string, name.string) == 0)
            }
        }

        private static let pairs = "{x: parts/x-*.npy, y: parts/y-*.npy}"

        @Test("Training begins with the first pair of files and ends with the last, and a run that is killed goes on")
        func whole() async throws {
            let place = try Self.place(Self.pairs, watch: ", watch: {until: parts/DONE}")
            var step = 0
            let killed = try await Tool.follow(Self.train + ["run"], in: place.root) { line, control in
                if step == 0, line.hasPrefix("waiting for the first file") {
                    step = 1
                    try Self.produce(5, place)
                    // An x without its y is no trial.
                    try place.writeNumbers("parts/x-6.npy", shape: [40, 6], stream: 12)
                } else if step == 1, line.contains("unit 0000 finished") {
                    step = 2
                    // Before the first in the order of names, and of another length.
                    try Self.produce(2, place, rows: 24)
                } else if step == 2, line.contains("unit 0001 finished") {
                    step = 3
                    #expect(kill(control, SIGKILL) == 0)
                }
            }
            #expect(killed.status == -Int(SIGKILL) && step == 3, "\(killed)")
            try Self.produce(7, place)
            var isDone = false
            let resumed = try await Tool.follow(["resume", "run", "--devices", "cpu:1"], in: place.root) { line, _ in
                guard !isDone, line.contains(" finished, 1 trial") else { return }
                isDone = true
                try Self.produce(6, place)
                try place.write("parts/DONE", "")
            }
            #expect(resumed.status == 0 && isDone, "\(resumed)")

            let results = try await LedgerLossTests.results("run", place)
            #expect(results.map(\.rows) == [40, 24, 40, 40] && results.allSatisfy { $0.status == "finished" })
            for (trial, epochs) in try CheckpointIntervalTests.trainings(place) {
                #expect(epochs.values.allSatisfy { $0 == 1 }, "trial \(trial) was trained twice for an epoch")
            }
            // Each is what it is in a run that had all the files from the beginning.
            let fresh = try await Tool.run(Self.train + ["fresh"], in: place.root)
            #expect(fresh.status == 0, "\(fresh)")
            let all = try await LedgerLossTests.results("fresh", place)
            for (trial, other) in zip(results, [1, 0, 3, 2].map { all[$0] }) {
                #expect(trial.rows == other.rows)
                for (one, other) in zip(trial.history["loss"] ?? [], other.history["loss"] ?? []) {
                    #expect(abs((one ?? 0) - (other ?? 9)) <= 1e-5 * abs(other ?? 0), "trial \(trial.trial)")
                }
            }
            let record = String(decoding: try place.contents("run/partitions/partitions.json"), as: UTF8.self)
            #expect(["x-2", "x-5", "x-6", "x-7"].allSatisfy { record.contains("\"label\" : \"\($0)\"") }, "\(record)")
            #expect(!place.exists("run/partitions/partitions-1.json"))
        }

        @Test("Without a sign of the end a run ends when no file has come for a while; it can be stopped before")
        func idle() async throws {
            let place = try Self.place("{x: x/, y: y/}", watch: ", watch: {idle: 600}", folders: ["x", "y"])
            for name in ["x", "y"] { try place.writeNumbers("\(name)/1.npy", shape: [32, name == "x" ? 6 : 1]) }
            let stopped = try await Tool.follow(Self.train + ["run"], in: place.root) { line, control in
                if line.contains("unit 0000 finished") { #expect(kill(control, SIGINT) == 0) }
            }
            #expect(stopped.status == 0, "every trial that came has ended: \(stopped)")
            let ended = try await Tool.run(
                ["resume", "run", "--devices", "cpu:1", "--json", "--set", "partition.watch.idle=0.5"], in: place.root)
            #expect(ended.status == 0, "\(ended)")
            #expect(try ended.json(SummaryObject.self).finished == 1)
        }

        @Test("A file that cannot be trained ends the run with its name, keeps what was trained, and can be mended")
        func wrong() async throws {
            let place = try Self.place(Self.pairs, watch: ", watch: {until: parts/DONE}")
            try Self.produce(1, place)
            var isWrong = false
            let ended = try await Tool.follow(Self.train + ["run"], in: place.root) { line, _ in
                guard !isWrong, line.contains("unit 0000 finished") else { return }
                isWrong = true
                try place.writeNumbers("parts/x-2.npy", shape: [40, 5], stream: 4)
                try place.writeNumbers("parts/y-2.npy", shape: [40, 1], stream: 5)
            }
            #expect(ended.status == 2, "\(ended)")
            #expect(ended.output.contains("a row of parts/x-2.npy is (5,) of float32"), "\(ended)")
            #expect(try await LedgerLossTests.results("run", place).map(\.status) == ["finished"])
            try FileManager.default.removeItem(atPath: place.path("parts/x-2.npy").string)
            try Self.produce(3, place)
            try place.write("parts/DONE", "")
            let mended = try await Tool.run(["resume", "run", "--devices", "cpu:1", "--json"], in: place.root)
            #expect(try mended.json(SummaryObject.self).finished == 2, "\(mended)")
        }
    }
}
