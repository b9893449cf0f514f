import Foundation
import Subprocess
import SystemPackage
import Testing

extension EndToEndTests {
    /// Whenever and however the control process ends, nothing that it has started outlives it.
    @Suite struct OrphanTests {
        /// What the user's code does in each phase: it starts a process that sleeps, says so, and goes on sleeping itself.
        static let code = """
            import os
            import subprocess
            import time

            import keras
            import numpy as np


            def linger(phase):
                if os.environ.get("HOME", "").endswith(phase):
                    subprocess.Popen(["sleep", "600"])
                    open(os.path.join(os.environ["HOME"], "begun"), "w").close()
                    time.sleep(600)


            def build():
                linger("lowering")
                model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
                model.compile("sgd", "mse")
                return model


            def load():
                linger("data")
                rows = np.arange(96, dtype="float32").reshape(16, 6) / 96
                return {"x": rows, "y": rows[:, :1]}


            class Lingers(keras.callbacks.Callback):
                def on_epoch_end(self, epoch, logs=None):
                    linger("fit")


            def callbacks():
                return [Lingers()]


            def summarize(results, run):
                linger("summary")
                return len(results)

            """

        @Test(
            "When the control process is killed, Python and all that it has started are gone within moments",
            arguments: ["data", "lowering", "fit", "summary"])
        func python(phase: String) async throws {
            let place = Workplace()
            try FileManager.default.createDirectory(
                atPath: place.path(phase).string, withIntermediateDirectories: true)
            try place.write("code.py", Self.code)
            try place.write(
                "experiment.yaml",
                """
                model: code.py:build
                data: code.py:load
                fit: {epochs: 2, batch_size: 8}
                summarize: code.py:summarize
                \(phase == "fit" ? "callbacks: [code.py:callbacks]" : "")
                """)
            // The home folder is among the few variables that reach every process of a run, and tells this test's from others.
            let home = place.path(phase)
            try await killed(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run"], in: place.root, home: home
            ) { FileManager.default.fileExists(atPath: home.appending("begun").string) }
        }

        @Test("When the control process is killed, runners of programs are gone within moments, stopped ones too")
        func native() async throws {
            let place = Workplace()
            try place.regression(seeds: 4, epochs: 1_000_000)
            let home = place.path("home")
            try FileManager.default.createDirectory(atPath: home.string, withIntermediateDirectories: true)
            try await killed(
                ["train", "experiment.yaml", "--devices", "cpu:2", "--output", "run"], in: place.root, home: home,
                stopping: "runner"
            ) {
                ResumeTests.epochs(of: "0000", place) > 0 && ResumeTests.epochs(of: "0001", place) > 0
            }
        }

        /// Starts the program, kills it once it has come so far, and waits for what it has started to be gone.
        private func killed(
            _ arguments: [String], in folder: FilePath, home: FilePath, stopping: String? = nil,
            when isThere: @escaping @Sendable () -> Bool
        ) async throws {
            let variables = Tool.environment(["HOME": home.string])
            _ = try await Subprocess.run(
                .path(FilePath(Tool.binary ?? "")), arguments: Arguments(arguments), environment: .custom(variables),
                workingDirectory: folder, input: .none, output: .discarded, error: .discarded
            ) { execution in
                try await waitUntil("the run has come so far", isThere)
                let control = execution.processIdentifier.value
                let stopped = Self.processes(with: home).first { process in
                    stopping.map { isNamed(process, $0) } ?? false
                }
                if let stopped { #expect(kill(stopped, SIGSTOP) == 0) }
                #expect(stopping == nil || stopped != nil)
                #expect(Self.processes(with: home).count >= 2, "nothing was started")
                #expect(kill(control, SIGKILL) == 0)
            }
            let clock = ContinuousClock()
            let began = clock.now
            try await waitUntil("nothing is left") { Self.processes(with: home).isEmpty }
            print("gone after \(clock.now - began)")
            for process in Self.processes(with: home) { kill(process, SIGKILL) }
        }

        /// The processes that have this folder for their home, but those that are ended and only not waited for.
        private static func processes(with home: FilePath) -> [Int32] {
            let marker = Data("HOME=\(home)\0".utf8)
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
            return names.compactMap { Int32($0) }.filter { process in
                guard let environment = FileManager.default.contents(atPath: "/proc/\(process)/environ") else {
                    return false
                }
                return environment.range(of: marker) != nil
            }
        }
    }
}

/// Whether a process's first argument is this.
private func isNamed(_ process: Int32, _ name: String) -> Bool {
    guard let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
    let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    return words.dropFirst().first == name
}
