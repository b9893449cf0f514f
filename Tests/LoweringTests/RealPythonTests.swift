import Bundles
import Foundation
import PythonEnvironment
import SystemPackage
import Testing

@testable import Lowering

@Suite(
    "Lowering a real Keras model",
    .enabled(if: ProcessInfo.processInfo.environment["PRONGHORN_TEST_PYTHON"] != nil))
struct RealPythonTests {
    private func python() throws -> Python {
        let tool = try ToolFolder.find()
        let interpreter = ProcessInfo.processInfo.environment["PRONGHORN_TEST_PYTHON"] ?? ""
        return Python(
            interpreter: FilePath(interpreter), key: "test", version: "3", sitePackages: tool, toolFolder: tool,
            plugin: PluginFile(path: "/nowhere.so", sha256: ""),
            environment: [
                "PATH": "/usr/bin:/bin", "PYTHONPATH": tool.string, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu",
            ])
    }

    @Test("A build function becomes a bundle with its functions, and its errors name the line of the user's file")
    func describeAndLower() async throws {
        let bench = try Bench()
        try bench.write(
            "models.py",
            """
            import keras
            from helper import units

            def build(learning_rate=0.001):
                print("a print of the user's")
                model = keras.Sequential([keras.layers.Dense(units, "relu"), keras.layers.Dense(1)])
                model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss="mse")
                return model

            def broken():
                raise ValueError("not today")
            """)
        let lowerer = try Lowerer(python: try python(), folder: bench.programs)
        var request = bench.request
        request.model = .function(file: bench.model, name: "build", arguments: [:])
        request.numbers = ["learning_rate": [0.001, 0.01]]
        let described = try await lowerer.describe(request)
        #expect(described.description.trainableParameters == 10 * 8 + 8 + 8 + 1)
        #expect(described.description.sources.count == 2)
        let functions = [
            FunctionRequest(.initialize, lanes: 4), FunctionRequest(.train, lanes: 4, steps: 3, rows: 32),
            FunctionRequest(.evaluate, lanes: 4, steps: 2, rows: 32), FunctionRequest(.finalize, lanes: 4),
        ]
        let lowered = try await lowerer.lower(functions, in: described)
        #expect(lowered.isWhole)
        #expect(lowered.description.functions.count == 3)
        #expect(lowered.digest == described.digest)

        request.model = .function(file: bench.model, name: "broken", arguments: [:])
        request.numbers = [:]
        do {
            _ = try await lowerer.describe(request)
            Issue.record("it did not fail")
        } catch {
            #expect(error.code == .buildRaised)
            #expect(error.file?.lastComponent == "models.py")
            #expect(error.line == 11)
            #expect(error.message.contains("not today"))
        }
        await lowerer.close()

        // A process that did not describe the bundle adds to it all the same.
        let other = try Lowerer(python: try python(), folder: bench.programs)
        let more = try await other.lower([FunctionRequest(.initialize, lanes: 1)], in: lowered)
        #expect(more.description.functions.count == 4)
        await other.close()
    }
}
