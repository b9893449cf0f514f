import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// A runner that does nothing any more costs time, and a control process that was asleep ends no runner for it.
    @Suite struct HangTests {
        @Test("A runner that is stopped by a signal is replaced, and the models are the same bit for bit")
        func stopped() async throws {
            let place = try ResumeTests.place()
            let clock = ContinuousClock()
            var stopped: ContinuousClock.Instant?
            var replaced: Duration?
            var working = 0
            var runners: [Int32] = []
            let outcome = try await Tool.follow(ResumeTests.train, in: place.root) { line, _ in
                if let process = runnerStarted(line) {
                    runners.append(process)
                    if let stopped, replaced == nil { replaced = clock.now - stopped }
                }
                guard let unit = unitStarted(line) else { return }
                working += 1
                guard working == 2, let victim = runners.first else { return }
                try await waitUntil("unit \(unit) trains") { ResumeTests.epochs(of: unit, place) >= 10 }
                #expect(kill(victim, SIGSTOP) == 0)
                stopped = clock.now
            }
            #expect(outcome.status == 0, "\(outcome)")
            #expect(runners.count == 3, "\(outcome)")
            #expect(outcome.output.contains("had been stopped by a signal"), "\(outcome)")
            let seconds = try #require(replaced)
            print("a stopped runner was replaced after \(seconds)")
            #expect(seconds < .seconds(60))
            #expect(runners.allSatisfy { kill($0, 0) != 0 }, "a runner is still there")
            try await ResumeTests().expectUndisturbed(place)
        }

        @Test("A control process that was itself stopped for a while ends no healthy runner")
        func stoppedControl() async throws {
            let place = try ResumeTests.place()
            var working = 0
            var runners: [Int32] = []
            let outcome = try await Tool.follow(ResumeTests.train, in: place.root) { line, control in
                if let process = runnerStarted(line) { runners.append(process) }
                guard let unit = unitStarted(line) else { return }
                working += 1
                guard working == 2 else { return }
                try await waitUntil("unit \(unit) trains") { ResumeTests.epochs(of: unit, place) >= 10 }
                // Its runners come to a stand when their pipes are full.
                #expect(kill(control, SIGSTOP) == 0)
                try await Task.sleep(for: .seconds(6))
                #expect(kill(control, SIGCONT) == 0)
            }
            #expect(outcome.status == 0, "\(outcome)")
            #expect(runners.count == 2, "\(outcome)")
            try await ResumeTests().expectUndisturbed(place)
        }
    }
}

/// The unit of the line that says that a device has begun with one.
func unitStarted(_ line: String) -> String? {
    let words = line.split(separator: " ").map(String.init)
    guard words.count >= 4, words[0].hasPrefix("cpu:"), words[1] == "unit", words[2].hasSuffix(",") else { return nil }
    return String(words[2].dropLast())
}
