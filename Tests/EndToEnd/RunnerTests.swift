import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// What becomes of a run whose processes die.
    @Suite struct RunnerTests {
        /// Four cohorts of two programs, each of which trains for seconds.
        func place(epochs: Int = 300) throws -> Workplace {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [512, 6], stream: 1)
            try place.writeNumbers("y.npy", shape: [512, 1], stream: 2)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):regression
                data: {x: x.npy, y: y.npy}
                trials: {units: [4, 6], seed: {range: 8}}
                fit: {epochs: \(epochs), batch_size: 16}
                """)
            return place
        }

        static let arguments = ["train", "experiment.yaml", "--devices", "cpu:2", "--output", "run"]

        @Test("Two devices are two processes; when one is killed, no trials are lost but at most those that it held")
        func killedRunner() async throws {
            let place = try place()
            var runners: [String: Int32] = [:]
            var killed: (unit: String, trials: Set<Int>)?
            let outcome = try await Tool.follow(Self.arguments, in: place.root) { line, _ in
                if let (device, process) = runnerStarted(line) { runners[device] = runners[device] ?? process }
                guard killed == nil, let (device, unit) = unitStarted(line), let process = runners[device] else {
                    return
                }
                try #require(isRunner(process))
                try await waitUntil("unit \(unit) trains") { hasEndedAnEpoch(unit, place) }
                killed = (unit, try trials(of: unit, place))
                #expect(kill(process, SIGKILL) == 0)
            }
            let lost = try #require(killed, "no runner was seen at work: \(outcome)").trials
            #expect(Set(runners.keys) == ["cpu:0", "cpu:1"])
            #expect(Set(runners.values).count == 2)

            let results = try await Tool.run(["results", "run", "--json"], in: place.root).json([TrialObject].self)
            #expect(results.count == 16)
            let unfinished = Set(results.filter { $0.status != "finished" }.map(\.trial))
            #expect(unfinished.isEmpty || unfinished == lost, "\(outcome)")
            #expect(outcome.status == (unfinished.isEmpty ? 0 : 1), "\(outcome)")
            for result in results where result.status != "finished" {
                #expect(result.status == "failed")
                #expect(result.message?.contains("SIGKILL") ?? false, "\(result)")
                #expect(result.model == nil)
            }
            for result in results where result.status == "finished" {
                #expect(place.exists("run/\(result.model ?? "")"))
                #expect(result.history["loss"]?.count == 300)
            }
            #expect((outcome.output + outcome.errors).contains("SIGKILL"), "\(outcome)")
        }

        @Test("No runner outlives a control process that is killed")
        func killedControl() async throws {
            let place = try place(epochs: 100_000)
            var runners: Set<Int32> = []
            var working = 0
            _ = try await Tool.follow(Self.arguments, in: place.root) { line, control in
                if let (_, process) = runnerStarted(line) { runners.insert(process) }
                guard let (_, unit) = unitStarted(line) else { return }
                try await waitUntil("unit \(unit) trains") { hasEndedAnEpoch(unit, place) }
                working += 1
                if working == 2 { #expect(kill(control, SIGKILL) == 0) }
            }
            #expect(runners.count == 2)
            defer { for process in runners where isRunner(process) { kill(process, SIGKILL) } }
            try await waitUntil("the runners end") { !runners.contains(where: isRunner) }
        }

        /// `cpu:0: runner 4711 started`.
        private func runnerStarted(_ line: String) -> (device: String, process: Int32)? {
            let words = line.split(separator: " ")
            guard words.count >= 4, words[1] == "runner", words[3] == "started", let process = Int32(words[2]) else {
                return nil
            }
            return (String(words[0].dropLast()), process)
        }

        /// `cpu:0: unit 0003, 4 trials`.
        private func unitStarted(_ line: String) -> (device: String, unit: String)? {
            let words = line.split(separator: " ")
            guard words.count >= 4, words[1] == "unit", words[2].hasSuffix(","), words[3].allSatisfy(\.isNumber) else {
                return nil
            }
            return (String(words[0].dropLast()), String(words[2].dropLast()))
        }

        private func hasEndedAnEpoch(_ unit: String, _ place: Workplace) -> Bool {
            let events = (try? place.contents("run/units/\(unit)/events.ndjson")) ?? Data()
            return String(decoding: events, as: UTF8.self).contains("\"epoch\":{")
        }

        private func trials(of unit: String, _ place: Workplace) throws -> Set<Int> {
            struct Unit: Decodable {
                struct Lane: Decodable { var trial: Int }
                var lanes: [Lane]
            }
            let unit = try JSONDecoder().decode(Unit.self, from: place.contents("run/units/\(unit)/unit.json"))
            return Set(unit.lanes.map(\.trial))
        }
    }
}

/// Whether a process is there and is a runner of the program under test: a number alone may be another's by now.
private func isRunner(_ process: Int32) -> Bool {
    guard let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline"), !line.isEmpty else {
        return false
    }
    let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    return words.first == Tool.binary && words.dropFirst().first == "runner"
}
