import Bundles
import Foundation
import PythonEnvironment
import SystemPackage
import Testing

@testable import Lowering

@Suite("What a program is cached under")
struct KeyTests {
    private func cache(_ bench: borrowing Bench, environment: String = "environment") throws -> ProgramCache {
        var python = bench.python
        python.key = environment
        return try ProgramCache(root: bench.programs, python: python)
    }

    @Test("Trials that differ in seed or learning rate share a program, whatever the order and number of values")
    func shared() throws {
        let bench = try Bench()
        let cache = try cache(bench)
        var request = bench.request
        request.numbers = ["learning_rate": [0.01, 0.001], "dropout": [0.5, 0.1]]
        request.seeds = [0, 1, 2]
        let key = try cache.key(request)
        request.numbers = ["learning_rate": [0.001, 0.003, 0.01], "dropout": [0.1, 0.2, 0.5]]
        request.seeds = [2, 0]
        #expect(try cache.key(request) == key)
    }

    @Test("Whatever could change a program changes its key")
    func distinct() throws {
        let bench = try Bench()
        let cache = try cache(bench)
        let request = bench.request
        var keys: Set<String> = [try cache.key(request)]
        var changed = request
        changed.batchSize = 33
        keys.insert(try cache.key(changed))
        changed = request
        changed.x[0].shape = [11]
        keys.insert(try cache.key(changed))
        changed = request
        changed.sampleWeight = .init(name: "w", shape: [], dtype: "float32")
        keys.insert(try cache.key(changed))
        changed = request
        changed.stablehloVersion = "1.9.0"
        keys.insert(try cache.key(changed))
        changed = request
        changed.numbers = ["learning_rate": [0.5]]
        keys.insert(try cache.key(changed))
        changed = request
        changed.terminatesOnNaN = true
        keys.insert(try cache.key(changed))
        for runs in [[nil: 0..<3], [0.1: 0..<3], [0.1: 0..<4]] as [[Double?: Range<Int>]] {
            changed = request
            changed.schedule = .init(
                file: bench.model, function: "decay", runs: runs.map { .init(rate: $0.key, epochs: $0.value) })
            keys.insert(try cache.key(changed))
        }
        for arguments: [String: JSONValue] in [["units": 64.0], ["units": "64"], ["units": 65], ["Units": 64], [:]] {
            changed = request
            changed.model = .function(file: bench.model, name: "build", arguments: arguments)
            keys.insert(try cache.key(changed))
        }
        keys.insert(try self.cache(bench, environment: "another").key(request))
        try bench.write("tool/pronghorn/lowering/serve.py", "new")
        keys.insert(try self.cache(bench).key(request))
        try bench.write("models.py", "def build(): pass")
        keys.insert(try cache.key(request))
        #expect(keys.count == 18)
    }

    @Test(
        "Values reach Python as they were meant: 1.0 stays a float, text stays text",
        arguments: [
            (JSONValue.double(1), "1.0"), (.double(1e-5), "1e-05"), (.int(1), "1"), (.bool(true), "true"),
            (.double(.infinity), "Infinity"), (.double(-.infinity), "-Infinity"), (.double(.nan), "NaN"),
            (.null, "null"),
            (.string("a\"b\\c\n\u{2028}é𝄞"), #""a\"b\\c\u000a\u2028\u00e9\ud834\udd1e""#),
            (.object(["b": .array([1, 2.5]), "a": "x"]), #"{"a":"x","b":[1,2.5]}"#),
        ])
    func text(value: JSONValue, expected: String) {
        #expect(value.text == expected)
    }

    @Test("The form that is chosen by itself is the one that the lowering process chooses")
    func automaticForm() throws {
        var program = try JSONDecoder().decode(
            ProgramDescription.self,
            from: Data(
                #"""
                {"version": 2, "name": "m", "keras": "3", "jax": "0", "stablehlo": "1", "batch_size": 2, "draws": 0,
                "inputs": [], "outputs": [], "state": [], "logs": [], "evaluate_logs": [], "directions": {}, "parameters": [],
                "trainable_parameters": 0, "has_convolution": true, "finalizes": false, "sources": [], "notes": [],
                "functions": [
                {"name": "train", "lanes": 4, "steps": 2, "rows": 2, "form": "looped", "file": "l", "sha256": ""},
                {"name": "train", "lanes": 4, "steps": 2, "rows": 2, "form": "vectorized", "file": "v", "sha256": ""},
                {"name": "train", "lanes": 4, "steps": 2, "rows": 2, "form": "vectorized", "halt": true, "file": "h",
                "sha256": ""}]}
                """#.utf8))
        let request = FunctionRequest(.train, lanes: 4, steps: 2, rows: 2)
        #expect(request.answer(in: program)?.file == "l")
        program.hasConvolution = false
        #expect(request.answer(in: program)?.file == "v")
        #expect(FunctionRequest(.train, lanes: 4, steps: 2, rows: 2, halt: true).answer(in: program)?.file == "h")
        #expect(FunctionRequest(.train, lanes: 4, steps: 3, rows: 2).answer(in: program) == nil)
        #expect(FunctionRequest(.evaluate, lanes: 4, steps: 2, rows: 2).answer(in: program) == nil)
    }
}
