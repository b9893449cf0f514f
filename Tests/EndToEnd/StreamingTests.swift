import Foundation
import Synchronization
import SystemPackage
import Testing

extension EndToEndTests {
    /// Arrays that memory does not hold.
    @Suite struct StreamingTests {
        /// Bytes of the runners of a control process.
        struct Memory: Sendable {
            /// Memory of one runner that no file stands behind: the most of any.
            var anonymous = 0
            /// What the runners have mapped of an array, each counting every page, and each page counted once.
            var mapped = 0
            var shared = 0
        }

        /// Trains the experiment on two runners while looking at their memory.
        private func train(_ place: Workplace, _ output: String, limit: String) async throws -> Memory {
            let peaks = Mutex(Memory())
            let outcome = try await Tool.follow(
                [
                    "train", "experiment.yaml", "--devices", "cpu:2", "--data-memory", limit, "--output", output,
                    "--json",
                ],
                in: place.root, variables: [:]
            ) { control in
                let now = Self.memory(ofRunnersOf: control, array: "x.npy")
                // The processes are looked at one after another, and a page's shares add up to the page only where none
                // was mapped in between: what is seen twice alike is true.
                let again = Self.memory(ofRunnersOf: control, array: "x.npy")
                peaks.withLock {
                    $0.anonymous = max($0.anonymous, now.anonymous)
                    $0.mapped = max($0.mapped, now.mapped)
                    if now.mapped == again.mapped, now.shared == again.shared { $0.shared = max($0.shared, now.shared) }
                }
            }
            try #require(outcome.status == 0, "\(outcome)")
            return peaks.withLock { $0 }
        }

        private static func memory(ofRunnersOf control: Int32, array: String) -> Memory {
            var now = Memory()
            for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
                guard let process = Int32(entry),
                    let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
                    stat.split(separator: ")").last?.split(separator: " ").dropFirst().first == "\(control)",
                    let command = FileManager.default.contents(atPath: "/proc/\(process)/cmdline"),
                    command.split(separator: 0).contains(Data("runner".utf8))
                else { continue }
                let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
                now.anonymous = max(now.anonymous, kibibytes("RssAnon:", in: status))
                let maps = whole("/proc/\(process)/smaps")
                var isArray = false
                for line in maps.split(separator: "\n") {
                    if line.first?.isLowercase == true || line.first?.isNumber == true {
                        isArray = line.hasSuffix(array)
                    }
                    guard isArray else { continue }
                    if line.hasPrefix("Rss:") { now.mapped += kibibytes("Rss:", in: String(line)) }
                    if line.hasPrefix("Pss:") { now.shared += kibibytes("Pss:", in: String(line)) }
                }
            }
            return now
        }

        /// A file that the kernel makes while it is read, a page at a time.
        private static func whole(_ path: String) -> String {
            guard let file = FileHandle(forReadingAtPath: path) else { return "" }
            var data = Data()
            while let part = try? file.read(upToCount: 1 << 16), !part.isEmpty { data += part }
            return String(decoding: data, as: UTF8.self)
        }

        private static func kibibytes(_ name: String, in text: String) -> Int {
            let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
            return 1024 * (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0)
        }

        /// Rows of 1,000 numbers, each row different.
        private func place(rows: Int) throws -> Workplace {
            let place = Workplace()
            let block = (0..<99_991).map { Float(($0 * 7919) % 2003) / 1000 - 1 }
            var values: [Float] = []
            values.reserveCapacity(rows * 1000 + block.count)
            while values.count < rows * 1000 { values += block }
            try place.writeNumbers("x.npy", shape: [rows, 1000], Array(values.prefix(rows * 1000)))
            try place.writeNumbers("y.npy", shape: [rows, 1], stream: 2)
            try place.write(
                "experiment.yaml",
                """
                model:
                  layers: [{Dense: {units: 8, activation: relu}}, {Dense: {units: 1}}]
                  compile: {optimizer: {SGD: {learning_rate: 0.0001}}, loss: mse}
                data: {x: x.npy, y: y.npy}
                trials: {seed: {range: 4}}
                fit: {epochs: 6, batch_size: 32, shuffle: {window: 500}}
                """)
            return place
        }

        @Test(
            "An array of three times the memory that data may take trains within it, to the models that resident data make"
        )
        func withinLimit() async throws {
            let (mebi, rows) = (1 << 20, 13_000)
            let large = try place(rows: rows)
            let bytes = rows * 4000
            #expect(bytes > 3 * 16 * mebi)
            let small = try await train(try place(rows: 70), "run", limit: "16MiB")
            let peaks = try await train(large, "run", limit: "16MiB")
            // Both compile the same network; the rest is data. A few MiB are the allocator's.
            let held = peaks.anonymous - small.anonymous
            #expect(held < 16 * mebi + 8 * mebi, "\(held / mebi) MiB are held for an array of \(bytes / mebi)")
            // Two runners map the array, and its pages are there once.
            #expect(peaks.mapped > bytes * 3 / 2, "\(peaks)")
            #expect(peaks.shared > 0 && peaks.shared < bytes * 11 / 10, "\(peaks)")

            // The same unit once more, with its arrays on the device whole.
            let text = try large.contents("run/units/0000/unit.json")
            var unit = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
            let sources = try #require(unit["sources"] as? [[String: Any]])
            unit["sources"] = sources.map { $0.merging(["isResident": true]) { $1 } }
            let again = large.root.appending("again")
            try FileManager.default.createDirectory(atPath: "\(again)", withIntermediateDirectories: true)
            try large.write("again/unit.json", try JSONSerialization.data(withJSONObject: unit))
            try large.write("again/rows.npy", try large.contents("run/units/0000/rows.npy"))
            try await Tool.runner(on: again, in: large.root)
            let models = try large.list("again/models")
            #expect(models.count == 2)
            for model in models {
                #expect(
                    try large.contents("again/models/\(model)") == large.contents("run/models/\(model)"), "\(model)")
            }
        }
    }
}
