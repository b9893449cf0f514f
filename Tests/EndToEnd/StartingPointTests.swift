import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// Trials that go on from models and weights of the user's.
    @Suite struct StartingPointTests {
        struct Settings: Encodable {
            var folder = "stores"
            var partitions: Int?
        }

        struct Findings: Decodable {
            var trials: Int
            var worst: [String: Double]
            var problems: [String]
        }

        struct Made: Decodable {
            var made: Int
        }

        static let program = "starting_points.py"

        /// Models adapted to data of their own, each trained for some epochs, and their weights; the same for all tests.
        static let stores = Task {
            let place = Workplace()
            let made = try await Tool.python(program, ["make", "stores", "6"], in: place.root, as: Made.self)
            try #require(made.made == 6)
            return place
        }

        /// A workplace with these models and some rows.
        func place(_ experiment: String) async throws -> Workplace {
            let place = Workplace()
            let stores = try await Self.stores.value
            try FileManager.default.copyItem(
                atPath: stores.path("stores").string, toPath: place.path("stores").string)
            try place.writeNumbers("x.npy", shape: [90, 6], stream: 1)
            try place.writeNumbers("y.npy", shape: [90, 1], stream: 2)
            try place.write("experiment.yaml", experiment + "\ndata: {x: x.npy, y: y.npy}\n")
            return place
        }

        /// Trains the experiment and repeats every trial by `Model.fit`, from the file that it started from.
        func compare(_ place: Workplace, trials: Int, cohorts: Int, partitions: Int? = nil) async throws {
            let train = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run", "--json"], in: place.root)
            try #require(train.status == 0, "\(train)")
            #expect(try train.json(SummaryObject.self).finished == trials)
            #expect(try place.list("run/units").count == cohorts)
            let results = try await Tool.run(["results", "run", "--json"], in: place.root)
            try place.write("results.json", results.output)
            let settings = try JSONEncoder().encode(Settings(partitions: partitions))
            try place.write("settings.json", String(decoding: settings, as: UTF8.self))
            let findings = try await Tool.python(
                Self.program, ["compare", "run", "results.json", "settings.json"], in: place.root, as: Findings.self)
            #expect(findings.trials == trials)
            #expect(findings.problems == [])
            for (kind, tolerance) in ["history": 1e-5, "weights": 1e-5, "optimizer": 1e-4] {
                let worst = try #require(findings.worst[kind])
                #expect(worst <= tolerance, "\(kind): \(worst)")
            }
        }

        static let fit = "fit: {epochs: 3, batch_size: 16, shuffle: false}"

        @Test(
            "Fine-tuning six models in one cohort is Model.fit from each: its optimizer, normalization and name stay its own"
        )
        func models() async throws {
            try await compare(try await place("model: stores/*.keras\n\(Self.fit)"), trials: 6, cohorts: 1)
        }

        @Test("A learning rate of the trials goes before the models' own, and every model meets every one")
        func crossed() async throws {
            let experiment = """
                model: {cross: [stores/store-4.keras, stores/store-1.keras]}
                trials: {learning_rate: [0.01, 0.03]}
                \(Self.fit)
                """
            try await compare(try await place(experiment), trials: 4, cohorts: 1)
        }

        @Test("Paired models train on one partition each")
        func paired() async throws {
            let experiment = """
                model: {paired: [stores/store-5.keras, stores/store-0.keras, stores/store-2.keras]}
                partition: {count: 3}
                \(Self.fit)
                """
            try await compare(try await place(experiment), trials: 3, cohorts: 1, partitions: 3)
        }

        @Test(
            "A built model starts from weights as Model.load_weights loads them, its optimizer anew",
            arguments: [("stores/*.weights.h5", 6), ("stores/store-?.keras", 6)])
        func weights(files: String, trials: Int) async throws {
            let experiment = """
                model: \(Tool.support.appending(Self.program)):build
                start: "\(files)"
                \(Self.fit)
                """
            try await compare(try await place(experiment), trials: trials, cohorts: 1)
        }

        @Test("Under the fit engine trials go on from the same models and weights", arguments: ["model", "weights"])
        func fitEngine(kind: String) async throws {
            let experiment =
                kind == "model"
                ? "model: [stores/store-3.keras, stores/store-2.keras]"
                : "model: \(Tool.support.appending(Self.program)):build\nstart: [stores/store-3.keras, stores/store-2.weights.h5]"
            try await compare(
                try await place("\(experiment)\n\(Self.fit)\nengine: fit\nbackend: jax"), trials: 2, cohorts: 2)
        }

        @Test("A run from starting models that was stopped goes on to the same models bit for bit")
        func resumed() async throws {
            let experiment = "model: stores/\nfit: {epochs: 400, batch_size: 16}\nsave: [initial, all]"
            let place = try await place(experiment)
            let train = ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run"]
            let undisturbed = try await Tool.run(train, in: place.root)
            try #require(undisturbed.status == 0, "\(undisturbed)")
            let expected = try ResumeTests.files(place)
            #expect(expected.count == 12)
            try FileManager.default.moveItem(atPath: place.path("run").string, toPath: place.path("whole").string)

            let stopped = try await Tool.follow(train, in: place.root) { line, control in
                guard line.contains("unit 0000, 6 trials") else { return }
                try await waitUntil("the unit trains") { ResumeTests.epochs(of: "0000", place) >= 10 }
                #expect(kill(control, SIGINT) == 0)
            }
            #expect(stopped.status == 1, "\(stopped)")
            let resumed = try await Tool.run(["resume", "run", "--devices", "cpu:1"], in: place.root)
            #expect(resumed.status == 0, "\(resumed)")
            let found = try ResumeTests.files(place)
            #expect(expected.keys.sorted() == found.keys.sorted())
            #expect(expected.keys.sorted().filter { expected[$0] != found[$0] } == [])
        }

        @Test(
            "A file that is no harmless model is refused in one line with status 2, alone or among others",
            arguments: ["bad.keras", "[stores/store-1.keras, bad.keras]"], Hostile.all)
        func hostile(model: String, file: Hostile) async throws {
            let place = try await place("model: \(model)\n\(Self.fit)")
            try place.write("bad.keras", file.bytes(good: try place.contents("stores/store-1.keras")))
            let before = try place.list("")
            let outcome = try await Tool.run(["train", "experiment.yaml", "--output", "run"], in: place.root)
            #expect(outcome.status == 2, "\(outcome)")
            let errors = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("error: ") }
            #expect(errors.count == 1, "\(outcome)")
            let message = String(errors.first ?? "")
            #expect(message.hasPrefix("error: experiment.yaml:1:") && message.contains("bad.keras"), "\(message)")
            #expect(message.contains(file.words), "\(message)")
            #expect(try place.list("") == before)
        }
    }
}

/// A file that is called `bad.keras`, and what is said of it.
struct Hostile: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var words: String
    /// What is made of a good model's bytes.
    private var make: @Sendable (Data) -> Data

    func bytes(good: Data) -> Data { make(good) }

    static let all: [Hostile] = [
        Hostile(testDescription: "empty", words: "is empty") { _ in Data() },
        Hostile(testDescription: "text", words: "not a whole zip archive") { _ in Data("a model\n".utf8) },
        Hostile(testDescription: "cut off", words: "not a whole zip archive") { $0.prefix($0.count / 2) },
        Hostile(testDescription: "whole-model HDF5", words: "save it as .keras") { _ in
            Data([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a] + [UInt8](repeating: 0, count: 100))
        },
        // The names are as long as those they take the place of, so that all offsets stay.
        Hostile(testDescription: "no configuration", words: "it has no config.json") {
            renamed("config.json", "konfig.json", in: $0)
        },
        Hostile(testDescription: "a path that leads out", words: "unsafe") {
            renamed("metadata.json", "../../tada.js", in: $0)
        },
        Hostile(testDescription: "an absolute path", words: "unsafe") {
            renamed("metadata.json", "/tmp/tada.jsn", in: $0)
        },
    ]

    private init(testDescription: String, words: String, make: @escaping @Sendable (Data) -> Data) {
        self.testDescription = testDescription
        self.words = words
        self.make = make
    }

    private static func renamed(_ name: String, _ other: String, in data: Data) -> Data {
        var data = data
        while let range = data.range(of: Data(name.utf8)) { data.replaceSubrange(range, with: other.utf8) }
        return data
    }
}
