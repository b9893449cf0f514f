import Foundation
import Synchronization
import SystemPackage
import Testing

extension EndToEndTests {
    /// What stands in the user's environment stays there, but for what the experiment names.
    @Suite struct SecretTests {
        static let secret = "hush-\(UUID().uuidString)"
        static let variables = [
            "SECRET_TOKEN": secret, "AWS_SECRET_ACCESS_KEY": secret, "GITHUB_TOKEN": secret, "HF_TOKEN": secret,
            "DATABASE_URL": "postgres://me:\(secret)@db/x", "WANDB_API_KEY": secret, "PYTHONSTARTUP": secret,
            "KAGGLE_KEY": secret, "OPENAI_API_KEY": secret,
        ]

        static func place(further: String = "") throws -> Workplace {
            let place = Workplace()
            try place.write(
                "mine.py",
                """
                import os

                import keras
                import numpy as np

                def look(where):
                    with open(os.path.join(os.path.dirname(__file__), f"{where}.seen"), "w") as file:
                        file.write(" ".join(sorted(os.environ)))

                def load():
                    look("data")
                    random = np.random.default_rng(0)
                    return {"x": random.normal(size=(64, 6)).astype("f4"), "y": random.normal(size=(64, 1)).astype("f4")}

                def build(kind=0):
                    look("build")
                    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1 + kind * 0)])
                    model.compile("sgd", "mse", run_eagerly=kind == 1)
                    return model

                def summarize(results, folder):
                    look("summarize")
                    return len(results)
                """)
            try place.write(
                "experiment.yaml",
                """
                model: mine.py:build
                data: mine.py:load
                trials: {kind: [0, 1], seed: {range: 2}}
                fit: {epochs: 2, batch_size: 16}
                summarize: mine.py:summarize
                \(further)
                """)
            return place
        }

        /// Files below a folder that hold the secret.
        static func holders(in folder: FilePath) -> [String] {
            let files = FileManager.default.enumerator(atPath: folder.string)?.compactMap { $0 as? String } ?? []
            return files.filter { file in
                FileManager.default.contents(atPath: folder.appending(file).string)?
                    .firstRange(of: Data(secret.utf8)) != nil
            }
        }

        /// Processes below another that have the secret in their environment.
        static func children(of control: Int32) -> [String] {
            let numbers = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap(Int32.init)
            var parents: [Int32: Int32] = [:]
            for number in numbers {
                guard let text = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8),
                    let end = text.lastIndex(of: ")")
                else { continue }
                parents[number] = text[text.index(after: end)...].split(separator: " ").dropFirst().first.flatMap {
                    Int32($0)
                }
            }
            func isBelow(_ process: Int32) -> Bool {
                var process = process
                while let parent = parents[process], parent > 1 {
                    if parent == control { return true }
                    process = parent
                }
                return false
            }
            return numbers.filter(isBelow).compactMap { process in
                guard let data = FileManager.default.contents(atPath: "/proc/\(process)/environ"),
                    data.firstRange(of: Data(secret.utf8)) != nil,
                    let command = FileManager.default.contents(atPath: "/proc/\(process)/cmdline"),
                    // Between fork and exec a child still is what its parent is.
                    command != FileManager.default.contents(atPath: "/proc/\(control)/cmdline")
                else { return nil }
                return String(decoding: command, as: UTF8.self)
            }
        }

        @Test("No secret of the environment is in the run's folder, in the cache, or in any process of the run")
        func secrets() async throws {
            let place = try Self.place()
            let cache = place.path("cache")
            let outcome = try await Self.watched(place, cache, Self.variables)
            #expect(outcome.status == 0, "\(outcome)")
            for file in ["data", "build", "summarize"] {
                let seen = Set(
                    String(decoding: try place.contents("\(file).seen"), as: UTF8.self).split(separator: " "))
                #expect(seen.contains("PATH"))
                #expect(seen.isDisjoint(with: Self.variables.keys.map { $0[...] }), "\(file): \(seen)")
            }
            #expect(Self.holders(in: place.path("run")) == [])
            #expect(Self.holders(in: cache) == [])
            #expect(!outcome.output.contains(Self.secret) && !outcome.errors.contains(Self.secret))
        }

        @Test(
            "A variable that the experiment names reaches the user's functions, by name alone, and parts what is cached"
        )
        func passed() async throws {
            let place = try Self.place(further: "environment: [DATABASE_URL, NOT_SET]")
            let outcome = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run"], in: place.root,
                variables: Self.variables)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output.contains("the variable NOT_SET, which environment names, is not set"), "\(outcome)")
            for file in ["data", "build", "summarize"] {
                let seen = String(decoding: try place.contents("\(file).seen"), as: UTF8.self).split(separator: " ")
                #expect(seen.contains("DATABASE_URL") && !seen.contains("SECRET_TOKEN"), "\(file): \(seen)")
            }
            #expect(Self.holders(in: place.path("run")) == [])
            try FileManager.default.removeItem(atPath: place.path("data.seen").string)
            var others = Self.variables
            for isCalled in [false, true] {
                if isCalled { others["DATABASE_URL"] = "another" }
                let again = try await Tool.run(
                    ["plan", "experiment.yaml", "--devices", "cpu:1"], in: place.root, variables: others)
                #expect(again.status == 0, "\(again)")
                #expect(place.exists("data.seen") == isCalled)
            }
        }

        /// Trains with a cache of its own and looks at all processes meanwhile.
        private static func watched(
            _ place: Workplace, _ cache: FilePath, _ variables: [String: String]
        ) async throws -> Outcome {
            let found = Mutex<Set<String>>([])
            let looks = Mutex(0)
            let outcome = try await Tool.follow(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run"], in: place.root,
                variables: variables.merging(["PRONGHORN_CACHE": cache.string]) { $1 }
            ) { control in
                let secrets = children(of: control)
                found.withLock { $0.formUnion(secrets) }
                looks.withLock { $0 += 1 }
            }
            #expect(found.withLock { $0 } == [])
            #expect(looks.withLock { $0 } > 5)
            return outcome
        }
    }
}
