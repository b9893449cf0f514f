import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// What becomes of a run of `Model.fit` whose processes die, or that is interrupted.
    @Suite struct FitRunnerTests {
        static let trials = "{seed: {range: 4}}"

        static func place(epochs: Int = 40, callbacks: String = "unhurried", further: String = "") throws -> Workplace {
            let callbacks = "callbacks: [\(FitEngineTests.models):\(callbacks)]"
            return try FitEngineTests.place(
                model: "regression", trials: trials, epochs: epochs,
                further: "engine: fit\nbackend: jax\n\(callbacks)\n\(further)")
        }

        /// The histories without any interruption.
        static let undisturbed = Task {
            let place = try FitRunnerTests.place()
            let train = try await Tool.run(FitEngineTests.train, in: place.root)
            try #require(train.status == 0, "\(train)")
            return try await FitEngineTests.results(place).map(\.history)
        }

        func expectUndisturbed(_ place: Workplace) async throws {
            let results = try await FitEngineTests.results(place)
            #expect(results.map(\.status) == Array(repeating: "finished", count: 4))
            #expect(results.map(\.history) == (try await Self.undisturbed.value))
            #expect(try place.list("run/models") == ["0000.keras", "0001.keras", "0002.keras", "0003.keras"])
        }

        /// Trains, and calls `body` once a unit's trial is well on its way.
        ///
        /// - Returns: how it ended, and the runners that were started.
        func disturb(
            _ arguments: [String], _ place: Workplace, unit: String = "0002",
            _ body: (_ control: Int32, _ runners: [Int32]) throws -> Void
        ) async throws -> (outcome: Outcome, runners: [Int32]) {
            var runners: [Int32] = []
            var disturbed = false
            let outcome = try await Tool.follow(arguments, in: place.root) { line, control in
                if let process = runnerStarted(line) { runners.append(process) }
                guard !disturbed, line.contains(": unit \(unit), ") else { return }
                try await waitUntil("unit \(unit) trains") { epochs(of: unit, place) >= 3 }
                disturbed = true
                try #require(runners.allSatisfy { isFitRunner($0) })
                try body(control, runners)
            }
            try #require(disturbed, "unit \(unit) was never at work: \(outcome)")
            return (outcome, runners)
        }

        @Test("A killed runner costs no trial: what it was at begins anew, and comes out as if nothing had been")
        func killedRunner() async throws {
            let place = try Self.place()
            let (outcome, runners) = try await disturb(FitEngineTests.train, place) { _, runners in
                for runner in runners { #expect(kill(runner, SIGKILL) == 0) }
            }
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output.contains("SIGKILL"), "\(outcome)")
            #expect(runners.count == 4, "\(outcome)")
            try await expectUndisturbed(place)
        }

        @Test(
            "A killed control process leaves no runner; resumed, what was finished stays and the rest is as if nothing had been"
        )
        func killedControl() async throws {
            let place = try Self.place()
            let (outcome, runners) = try await disturb(FitEngineTests.train, place) { control, _ in
                #expect(kill(control, SIGKILL) == 0)
            }
            #expect(outcome.status == -Int(SIGKILL))
            defer { for process in runners where isFitRunner(process) { kill(process, SIGKILL) } }
            try await waitUntil("the runners end") { !runners.contains(where: isFitRunner) }
            let finished = Set(try place.list("run/models"))
            #expect(!finished.isEmpty && finished.count < 4)
            let before = try finished.sorted().map { try place.contents("run/models/\($0)") }

            let resumed = try await Tool.run(["resume", "run", "--devices", "cpu:2"], in: place.root)
            #expect(resumed.status == 0, "\(resumed)")
            #expect(try finished.sorted().map { try place.contents("run/models/\($0)") } == before)
            try await expectUndisturbed(place)
        }

        @Test("Ctrl-C ends the trials at hand after their epoch and leaves no process; resumed, they begin anew")
        func interrupted() async throws {
            let place = try Self.place()
            let (outcome, runners) = try await disturb(FitEngineTests.train, place) { control, _ in
                #expect(kill(control, SIGINT) == 0)
            }
            #expect(outcome.status == 1, "\(outcome)")
            #expect(!runners.contains(where: isFitRunner))
            let status = try CommandTests.object(
                try await Tool.run(["status", "run", "--json"], in: place.root).output)
            #expect(status["state"] as? String == "stopped")
            let resumed = try await Tool.run(["resume", "run", "--devices", "cpu:2"], in: place.root)
            #expect(resumed.status == 0, "\(resumed)")
            try await expectUndisturbed(place)
        }

        @Test("A trial that ends every process it is in fails alone after three, with its reason")
        func poison() async throws {
            let place = try Self.place(epochs: 2, callbacks: "poison")
            let train = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:2", "--output", "run", "--set", "trials.seed=[0]"],
                in: place.root)
            #expect(train.status == 1, "\(train)")
            let results = try await FitEngineTests.results(place)
            #expect(results.map(\.status) == ["failed"])
            #expect(results.first?.message?.contains("SIGABRT") ?? false, "\(results)")
            #expect(try place.list("run/units").count == 3)
        }

        @Test("Processes that share a device are as many as asked for, each with a log of its own")
        func shared() async throws {
            let place = try Self.place(epochs: 2, further: "runners_per_device: 2")
            var runners: Set<Int32> = []
            let train = try await Tool.follow(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run"], in: place.root
            ) { line, _ in
                if let process = runnerStarted(line) { runners.insert(process) }
            }
            #expect(train.status == 0, "\(train)")
            #expect(runners.count == 2, "\(train)")
            #expect(try place.list("run/logs") == ["cpu-0.0.log", "cpu-0.1.log"])
            #expect(try await FitEngineTests.results(place).allSatisfy { $0.status == "finished" })
        }

        /// How many epochs of a unit have ended.
        private func epochs(of unit: String, _ place: Workplace) -> Int {
            let events = (try? place.contents("run/units/\(unit)/events.ndjson")) ?? Data()
            return String(decoding: events, as: UTF8.self).split(separator: "\n").count { $0.contains("\"epoch\": {") }
        }
    }
}

/// The process that a line says was started as a runner.
func runnerStarted(_ line: String) -> Int32? {
    let words = line.split(separator: " ")
    guard words.count == 4, words[1] == "runner", words[3] == "started" else { return nil }
    return Int32(words[2])
}

/// Whether a process is there and is a runner of `Model.fit`: a number alone may be another's by now.
func isFitRunner(_ process: Int32) -> Bool {
    // A process that is only just becoming its program has no arguments for a moment.
    for _ in 0..<50 {
        // Nor has one that has ended and whose end nobody has taken notice of yet: its state is `Z`.
        guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            stat.split(separator: ")").last?.split(separator: " ").first != "Z"
        else { return false }
        guard let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
        if !line.isEmpty { return String(decoding: line, as: UTF8.self).contains("pronghorn.fit_runner") }
        usleep(100_000)
    }
    return false
}
