import Testing

@testable import Experiments

/// Names that come from a file never lead out of the folder that they are put in.
@Suite struct HostileNameTests {
    private static let pieces = [
        "..", ".", "/", "\\", "a", "\u{0}", "\n", "\r", "~", "$HOME", "%2e", "é", "\u{202E}", "\u{7F}", "\u{85}", "名",
        " ", "…",
        ":", "-rf", "*", "\u{1b}[2J", "🦌", String(repeating: "x", count: 60),
    ]

    private struct Draws {
        var state: UInt64 = 5

        mutating func next(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
    }

    private static func isHarmless(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".." && !name.contains("/") && name.utf8.count <= 100
            && !name.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }

    @Test("An experiment's name is one part of a path, whatever it is made of, or refused")
    func names() throws {
        var draws = Draws()
        var accepted = 0
        for _ in 0..<5_000 {
            let name = (0...draws.next(below: 4)).map { _ in Self.pieces[draws.next(below: Self.pieces.count)] }
                .joined()
            do {
                let experiment = try Experiment(
                    name: name, model: .function(FunctionReference(file: "m.py", function: "build")),
                    data: DataDescription(x: "x.npy", y: "y.npy"))
                #expect(Self.isHarmless(experiment.name), "\(name.debugDescription)")
                accepted += 1
            } catch {
                #expect(error.key == "name", "\(name.debugDescription): \(error)")
            }
        }
        #expect(accepted > 500)
    }

    @Test("Trials are named by number, so that no label or value becomes a path")
    func trials() throws {
        let experiment = try Experiment(
            model: .function(FunctionReference(file: "m.py", function: "build")),
            data: DataDescription(x: "x.npy", y: "y.npy"),
            axes: [Axis("shop", Self.pieces.map { .string($0) })])
        let trials = try experiment.trials(partitions: Self.pieces)
        #expect(trials.count == Self.pieces.count * Self.pieces.count)
        #expect(trials.allSatisfy { $0.name.utf8.allSatisfy { (0x30...0x39).contains($0) } })
    }

    @Test(
        "A variable is named by what can be a name, and Pronghorn's own are not the user's to set",
        arguments: ["A=B", "A B", "", "1A", "É", "../A", "PYTHONPATH", "XLA_FLAGS", "KERAS_BACKEND"])
    func variables(name: String) throws {
        var experiment = try Experiment(
            model: .function(FunctionReference(file: "m.py", function: "build")),
            data: DataDescription(x: "x.npy", y: "y.npy"))
        experiment.environment = ["HF_HOME", name]
        #expect(throws: ExperimentError.self) { try experiment.validate() }
        experiment.environment = ["HF_HOME", "_a1"]
        try experiment.validate()
    }
}
