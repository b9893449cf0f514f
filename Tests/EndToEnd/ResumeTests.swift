import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// An interruption of whatever kind costs time, and changes no bit of any model.
    @Suite struct ResumeTests {
        /// Four cohorts of two programs, two of which wait while two train, and their results without any interruption.
        struct Undisturbed: Sendable {
            static let epochs = 600
            let place: Workplace
            let files: [String: Data]
            let histories: [[String: [Double?]]]

            static let shared = Task { try await Undisturbed() }

            private init() async throws {
                place = try ResumeTests.place()
                let outcome = try await Tool.run(ResumeTests.train + ["--json"], in: place.root)
                try #require(outcome.status == 0, "\(outcome)")
                files = try ResumeTests.files(place)
                histories = try await ResumeTests.results(place).map(\.history)
                #expect(files.count == 12 * 3)
            }
        }

        static let train = ["train", "experiment.yaml", "--devices", "cpu:2", "--output", "run"]
        static let resume = ["resume", "run", "--devices", "cpu:2"]

        static func place() throws -> Workplace {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [512, 6], stream: 1)
            try place.writeNumbers("y.npy", shape: [512, 1], stream: 2)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):regression
                data: {x: x.npy, y: y.npy}
                trials: {units: [4, 6], seed: {range: 6}}
                # An epoch goes on where the one before ended: 10, 10 and 4 of the 24 batches there are.
                fit:
                  initial_epoch: 5
                  epochs: \(5 + Undisturbed.epochs)
                  batch_size: 16
                  steps_per_epoch: 10
                  validation: 0.25
                save: [initial, all, best]
                """)
            return place
        }

        static func files(_ place: Workplace) throws -> [String: Data] {
            var files: [String: Data] = [:]
            for name in try place.list("run/models") { files[name] = try place.contents("run/models/\(name)") }
            return files
        }

        static func results(_ place: Workplace) async throws -> [TrialObject] {
            try await Tool.run(["results", "run", "--json"], in: place.root).json([TrialObject].self)
        }

        /// Holds a finished run to every file and every figure of the undisturbed one.
        func expectUndisturbed(_ place: Workplace) async throws {
            let undisturbed = try await Undisturbed.shared.value
            let files = try Self.files(place)
            #expect(files.keys.sorted() == undisturbed.files.keys.sorted())
            let different = undisturbed.files.keys.sorted().filter { files[$0] != undisturbed.files[$0] }
            #expect(different == [], "these models are not those of an undisturbed run")

            let results = try await Self.results(place)
            #expect(results.map(\.trial) == Array(0..<12))
            #expect(results.allSatisfy { $0.status == "finished" })
            for (result, history) in zip(results, undisturbed.histories) {
                #expect(result.history["val_loss"]?.count == Undisturbed.epochs)
                #expect(result.history == history, "trial \(result.trial)'s history differs")
            }
        }

        func expectFinished(_ outcome: Outcome) throws {
            #expect(outcome.status == 0, "\(outcome)")
            let summary = try outcome.json(SummaryObject.self)
            #expect(summary.trials == 12 && summary.finished == 12 && summary.failed == 0)
        }

        /// Carries out a verb that trains; once both devices are at work, and well into it, calls `body`.
        ///
        /// - Returns: how it ended, and the runners that were started.
        func disturb(
            _ arguments: [String], _ place: Workplace,
            _ body: (_ control: Int32, _ runners: [Int32]) async throws -> Void
        ) async throws -> (outcome: Outcome, runners: [Int32]) {
            var runners: [Int32] = []
            var working: [String] = []
            let outcome = try await Tool.follow(arguments, in: place.root) { line, control in
                let words = line.split(separator: " ").map(String.init)
                guard words.count >= 4, words[0].hasPrefix("cpu:") else { return }
                if words[1] == "runner", words[3] == "started", let process = Int32(words[2]) {
                    runners.append(process)
                }
                guard words[1] == "unit", words[2].hasSuffix(","), working.count < 2 else { return }
                working.append(String(words[2].dropLast()))
                guard working.count == 2, let last = working.last else { return }
                try await waitUntil("unit \(last) trains") { Self.epochs(of: last, place) >= 10 }
                try #require(runners.count == 2 && runners.allSatisfy { isRunner($0) })
                try await body(control, runners)
            }
            try #require(working.count == 2, "two units were never at work: \(outcome)")
            return (outcome, runners)
        }

        @Test("A killed control process takes its runners with it; the resumed run's models are the same bit for bit")
        func killedControl() async throws {
            let place = try Self.place()
            let (outcome, runners) = try await disturb(Self.train, place) { control, _ in
                #expect(kill(control, SIGKILL) == 0)
            }
            #expect(outcome.status == -Int(SIGKILL))
            defer { for process in runners where isRunner(process) { kill(process, SIGKILL) } }
            try await waitUntil("the runners end") { !runners.contains(where: isRunner) }

            try expectFinished(try await Tool.run(Self.resume + ["--json"], in: place.root))
            try await expectUndisturbed(place)
        }

        @Test("Ctrl-C leaves a checkpoint; resumed, killed and resumed again, the models are the same bit for bit")
        func interrupted() async throws {
            let place = try Self.place()
            let (stopped, _) = try await disturb(Self.train, place) { control, _ in #expect(kill(control, SIGINT) == 0)
            }
            #expect(stopped.status == 1, "\(stopped)")
            #expect(stopped.output.contains("pronghorn resume \(place.path("run"))"), "\(stopped)")
            let status = try CommandTests.object(
                try await Tool.run(["status", "run", "--json"], in: place.root).output)
            #expect(status["state"] as? String == "stopped")
            let done = try #require(status["epochs_done"] as? Int)
            #expect(done > 0 && done < 12 * Undisturbed.epochs)
            let kept = try checkpoints(place)
            #expect(!kept.isEmpty)

            // What goes on from a checkpoint is killed before it has left one of its own.
            let (killed, runners) = try await disturb(Self.resume, place) { control, _ in
                #expect(kill(control, SIGKILL) == 0)
            }
            #expect(killed.status == -Int(SIGKILL))
            defer { for process in runners where isRunner(process) { kill(process, SIGKILL) } }
            try await waitUntil("the runners end") { !runners.contains(where: isRunner) }
            #expect(try checkpoints(place).isSuperset(of: kept))

            try expectFinished(try await Tool.run(Self.resume + ["--json"], in: place.root))
            try await expectUndisturbed(place)
        }

        /// A line of `--events` that says how far the run is.
        private struct ProgressLine: Decodable {
            var progress: Progress?

            struct Progress: Decodable {
                var trials: Int
                var ended: Int
                var epochsDone: Int
                var epochs: Int

                enum CodingKeys: String, CodingKey {
                    case trials, ended, epochs
                    case epochsDone = "epochs_done"
                }
            }
        }

        @Test("A resumed run's progress begins where it was interrupted and ends full")
        func progress() async throws {
            let place = try Self.place()
            _ = try await disturb(Self.train, place) { control, _ in #expect(kill(control, SIGINT) == 0) }
            let status = try CommandTests.object(
                try await Tool.run(["status", "run", "--json"], in: place.root).output)
            let done = try #require(status["epochs_done"] as? Int)
            try #require(done > 0)
            // Events end with their reader, whose sign is the end of standard input: it is held open.
            let command = Self.resume.joined(separator: " ")
            let held = "mkfifo held && exec 3<>held && exec '\(Tool.binary ?? "")' \(command) --events <&3"
            let outcome = try await Tool.run(program: "/bin/sh", ["-c", held], in: place.root)
            #expect(outcome.status == 0, "\(outcome)")
            let lines = try outcome.output.split(separator: "\n").compactMap {
                try JSONDecoder().decode(ProgressLine.self, from: Data($0.utf8)).progress
            }
            let (first, last) = (try #require(lines.first), try #require(lines.last))
            let all = 12 * (5 + Undisturbed.epochs)
            #expect((first.trials, first.epochsDone, first.epochs) == (12, done, all), "\(outcome)")
            #expect((last.ended, last.epochsDone, last.epochs) == (12, all, all), "\(outcome)")
            #expect(zip(lines, lines.dropFirst()).allSatisfy { $0.epochsDone <= $1.epochsDone }, "\(outcome)")
        }

        @Test("A killed runner costs no trial: the run finishes, and the models are the same bit for bit")
        func killedRunner() async throws {
            let place = try Self.place()
            let (outcome, runners) = try await disturb(Self.train, place) { _, runners in
                let runner = try #require(runners.first)
                #expect(kill(runner, SIGKILL) == 0)
            }
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output.contains("SIGKILL"), "\(outcome)")
            #expect(runners.count == 3, "\(outcome)")
            try await expectUndisturbed(place)
        }

        @Test("A runner that is killed over what goes on from a checkpoint costs nothing either")
        func killedRunnerOfAResumedRun() async throws {
            let place = try Self.place()
            let (stopped, _) = try await disturb(Self.train, place) { control, _ in #expect(kill(control, SIGTERM) == 0)
            }
            #expect(stopped.status == 1, "\(stopped)")
            let (outcome, runners) = try await disturb(Self.resume, place) { _, runners in
                let runner = try #require(runners.first)
                #expect(kill(runner, SIGKILL) == 0)
            }
            #expect(outcome.status == 0, "\(outcome)")
            #expect(runners.count == 3, "\(outcome)")
            try await expectUndisturbed(place)
        }

        @Test("Resuming a finished run trains nothing and is no mistake")
        func finished() async throws {
            let place = try await Undisturbed.shared.value.place
            let units = try place.list("run/units")
            try expectFinished(try await Tool.run(Self.resume + ["--json"], in: place.root))
            #expect(try place.list("run/units") == units)
            try await expectUndisturbed(place)
        }

        @Test("A run that is being trained is refused to a second pronghorn, and goes on")
        func two() async throws {
            let place = try Self.place()
            let (outcome, _) = try await disturb(Self.train, place) { _, runners in
                for arguments in [Self.resume, Self.train] {
                    let second = try await Tool.run(arguments, in: place.root)
                    #expect(second.status == 2, "\(second)")
                    #expect(second.errors.contains("\(place.path("run"))"), "\(second)")
                }
                #expect(runners.allSatisfy { isRunner($0) })
            }
            #expect(outcome.status == 0, "\(outcome)")
            try await expectUndisturbed(place)
        }

        /// How many epochs of a unit have ended.
        static func epochs(of unit: String, _ place: Workplace) -> Int {
            let events = (try? place.contents("run/units/\(unit)/events.ndjson")) ?? Data()
            return String(decoding: events, as: UTF8.self).split(separator: "\n").count { $0.contains("\"epoch\":{") }
        }

        private func checkpoints(_ place: Workplace) throws -> Set<String> {
            var found: Set<String> = []
            for unit in try place.list("run/units") {
                for name in try place.list("run/units/\(unit)")
                where name.hasPrefix("checkpoint-") && name.hasSuffix(".safetensors") {
                    found.insert("\(unit)/\(name)")
                }
            }
            return found
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

/// Waits until something is so; a generous while, since it is only to end a test that would wait for ever.
func waitUntil(_ what: String, _ condition: () -> Bool) async throws {
    for _ in 0..<2400 {
        if condition() { return }
        try await Task.sleep(for: .milliseconds(25))
    }
    Issue.record("waited in vain until \(what)")
}
