import Foundation
import Subprocess
import SystemPackage
import Testing

/// The typed layers, losses, optimizers and metrics, held to the installed Keras.
@Suite struct TypedNamesTests {
    static let python = ProcessInfo.processInfo.environment["PRONGHORN_TEST_PYTHON"]
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// A class with the arguments that the library writes of it.
    struct Typed: Codable {
        var module: String
        var name: String
        var arguments: [String]
    }

    static let modules = [
        "Layer": "layers", "Optimizer": "optimizers", "Loss": "losses", "Metric": "metrics",
        "Initializer": "initializers", "Regularizer": "regularizers", "Constraint": "constraints",
        "LearningRate": "optimizers.schedules",
    ]

    /// What the sources write: `Layer("Dense", typed: ["units": units, …])`, `Loss("Poisson")`.
    static func typed() throws -> [Typed] {
        let kinds = modules.keys.sorted().joined(separator: "|")
        let pattern = try Regex(
            #"\b(\#(kinds))\(\s*"(\w+)"(?:,\s*typed: \[(.*?)\])?\s*\)"#,
            as: (Substring, Substring, Substring, Substring?).self
        ).dotMatchesNewlines()
        let folder = root.appending(path: "Sources/Pronghorn")
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        var found: [Typed] = []
        while let file = files?.nextObject() as? URL {
            guard file.pathExtension == "swift" else { continue }
            // What a comment shows is no layer of ours.
            let text = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
                .filter { !$0.drop(while: \.isWhitespace).hasPrefix("//") }.joined(separator: "\n")
            for match in text.matches(of: pattern) {
                let arguments = (match.3 ?? "").matches(of: #/"(\w+)":/#).map { String($0.1) }
                found.append(
                    Typed(module: modules[String(match.1)] ?? "", name: String(match.2), arguments: arguments))
            }
        }
        return found
    }

    @Test(
        "Every typed layer, loss, optimizer and metric is one of the installed Keras, with its names of the arguments",
        .enabled(if: python != nil, "needs PRONGHORN_TEST_PYTHON"))
    func names() async throws {
        let typed = try Self.typed()
        let kinds = Dictionary(grouping: typed, by: \.module).mapValues(\.count)
        #expect(kinds["layers"] ?? 0 > 40 && kinds["losses"] ?? 0 > 10 && kinds["metrics"] ?? 0 > 10, "\(kinds)")
        #expect(kinds["optimizers"] ?? 0 > 8 && kinds.count == Self.modules.count, "\(kinds)")
        let script = """
            import importlib, inspect, json, sys
            import keras
            for one in json.load(sys.stdin):
                module = importlib.import_module("keras." + one["module"])
                made = getattr(module, one["name"], None)
                if not isinstance(made, type):
                    print(f"keras.{one['module']} has no {one['name']}")
                    continue
                known = set(inspect.signature(made).parameters) | {"name", "dtype", "activity_regularizer"}
                if one["name"] == "InputLayer":
                    known |= {"batch_shape"}
                for argument in one["arguments"]:
                    if argument not in known:
                        print(f"{one['name']} has no argument {argument}")
            print("all looked at")
            """
        let result = try await Subprocess.run(
            .path(FilePath(Self.python ?? "")), arguments: ["-c", script],
            environment: .inherit.updating(["KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"]),
            input: .string(String(decoding: try JSONEncoder().encode(typed), as: UTF8.self)),
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        #expect(result.standardOutput == "all looked at\n", "\(result.standardError)")
    }
}
