import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// Whose mistake it is when there is no Python: that of whoever named one, or the machine's.
    @Suite struct WrongPythonTests {
        private func train(_ place: Workplace, _ variables: [String: String]) async throws -> Outcome {
            let arguments = ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run"]
            let outcome = try await Tool.run(arguments, in: place.root, variables: variables)
            #expect(!place.exists("run"))
            return outcome
        }

        private func place() throws -> Workplace {
            let place = Workplace()
            try place.regression(seeds: 1)
            return place
        }

        @Test(
            "A Python that is not there, is none or lacks packages is for its user to mend: status 2",
            arguments: [
                ("nowhere/python", "there is no Python interpreter at"), ("silent", "does not work as a Python"),
                ("bare", "cannot import what Pronghorn needs"),
            ])
        func named(_ name: String, words: String) async throws {
            let place = try place()
            let python = try #require(Tool.variable("PRONGHORN_TEST_PYTHON"))
            let programs = ["silent": "exit 1", "bare": "exec '\(python)' -S \"$@\""]
            for (name, line) in programs {
                try place.write(name, "#!/bin/sh\n\(line)\n")
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o755], ofItemAtPath: place.path(name).string)
            }
            let outcome = try await train(place, ["PRONGHORN_PYTHON": "\(place.root)/\(name)"])
            #expect(outcome.status == 2, "\(outcome)")
            #expect(outcome.errors.contains(words), "\(outcome)")
        }

        @Test(
            "An interpreter that the experiment file names wrongly is told with its place there",
            arguments: [
                ("python: {interpreter: no/python}", "experiment.yaml:5:23: python.interpreter: there is no Python"),
                ("python: ./experiment.yaml", "experiment.yaml:5:9: python.interpreter: there is no Python"),
            ])
        func namedInTheFile(_ line: String, words: String) async throws {
            let place = Workplace()
            try place.regression(seeds: 1, further: line)
            let outcome = try await train(place, [:])
            #expect(outcome.status == 2 && outcome.errors.contains(words), "\(outcome)")
        }

        @Test("A plugin that is not where a variable says is for its user to mend: status 2")
        func plugin() async throws {
            let outcome = try await train(try place(), ["PRONGHORN_CPU_PLUGIN": "/nowhere/plugin.so"])
            #expect(outcome.status == 2, "\(outcome)")
            #expect(outcome.errors.contains("PRONGHORN_CPU_PLUGIN"), "\(outcome)")
        }

        @Test("An environment that the disk does not take is the machine's: status 1")
        func cache() async throws {
            let variables = ["PRONGHORN_PYTHON": "", "PRONGHORN_CACHE": "/proc/nowhere"]
            let outcome = try await train(try place(), variables)
            #expect(outcome.status == 1, "\(outcome)")
            #expect(outcome.errors.contains("/proc/nowhere"), "\(outcome)")
        }
    }
}
