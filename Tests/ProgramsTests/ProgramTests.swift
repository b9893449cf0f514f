import Bundles
import Foundation
import PJRT
import SystemPackage
import Testing

@testable import Programs

/// The plugin that device tests use; without PRONGHORN_TEST_PLUGIN they are shown as disabled.
enum TestPlugin {
    static let path = ProcessInfo.processInfo.environment["PRONGHORN_TEST_PLUGIN"].map { FilePath($0) }
    static let isThere = path != nil

    private static let shared = Result {
        try Client(Plugin.load(path ?? ""), options: ["cpu_device_count": .int64(1)])
    }
    static var client: Client { get throws { try shared.get() } }
}

/// A description with two leaves, two inputs and these functions.
func description(
    draws: Int = 2, seedColumn: Bool? = nil, functions: String = "", version: Int = 2
) throws -> ProgramDescription {
    let column = seedColumn.map { "\"seed_column\": \($0)," } ?? ""
    let text = """
        {"version": \(version), "name": "m", "keras": "3", "jax": "0", "stablehlo": "1", "batch_size": 4,
        "draws": \(draws), \(column)
        "inputs": [{"name": "x", "role": "x", "shape": [3], "dtype": "float32"},
        {"name": "y", "role": "y", "shape": [], "dtype": "int32"}],
        "outputs": [{"name": "output", "shape": [5], "dtype": "float32"}],
        "state": [{"path": "kernel", "role": "trainable", "shape": [3, 5], "dtype": "float32", "offset": 64, "weight": true},
        {"path": "iteration", "role": "optimizer", "shape": [], "dtype": "int32", "offset": null, "weight": false}],
        "logs": ["loss", "accuracy"], "evaluate_logs": ["loss"], "directions": {"accuracy": "up"}, "parameters": [], "trainable_parameters": 15,
        "has_convolution": false, "finalizes": false, "sources": [], "notes": [], "functions": [\(functions)]}
        """
    return try JSONDecoder().decode(ProgramDescription.self, from: Data(text.utf8))
}

@Suite struct SeedTests {
    // Printed by CPython 3.11: r = random.Random(7); [r.randint(1, 10**9) for _ in range(3)]
    @Test("A trial's seed becomes the numbers that Keras would draw while it builds the model")
    func draws() throws {
        #expect(try description(draws: 3).seeds(for: 7) == [347_712_783, 161_973_070, 423_938_500])
        #expect(try description(draws: 0).seeds(for: 7) == [])
    }

    @Test("A model that takes the seed itself gets it after the draws")
    func seedColumn() throws {
        #expect(try description(draws: 2, seedColumn: true).seeds(for: 7) == [347_712_783, 7])
        #expect(try description(draws: 1, seedColumn: true).seeds(for: 4_294_967_295) == [.max])
    }
}

@Suite struct SignatureTests {
    func function(_ name: FunctionName, steps: Int? = nil, rows: Int? = nil) throws -> Signature {
        let entry = ProgramDescription.Function.self
        let text = """
            {"name": "\(name.rawValue)", "lanes": 8, "steps": \(steps.map(String.init) ?? "null"),
            "rows": \(rows.map(String.init) ?? "null"), "form": null, "file": "f", "sha256": ""}
            """
        return try description().signature(of: name, JSONDecoder().decode(entry, from: Data(text.utf8)))
    }

    let state = [TensorType(.float32, [8, 3, 5]), TensorType(.int32, [8])]

    @Test("A function is called with what the contract says, in its order")
    func contract() throws {
        let batch = [TensorType(.float32, [8, 6, 4, 3]), TensorType(.int32, [8, 6, 4])]
        let control = [TensorType(.int32, [8]), TensorType(.int32)]
        let train = try function(.train, steps: 6, rows: 4)
        #expect(train.arguments == state + batch + control)
        #expect(train.results == state + [TensorType(.float32, [8, 2])])
        let evaluate = try function(.evaluate, steps: 6, rows: 4)
        #expect(evaluate.arguments == train.arguments)
        #expect(evaluate.results == state + [TensorType(.float32, [8, 1])])
        let initialize = try function(.initialize)
        #expect(initialize.arguments == [TensorType(.uint32, [8, 2])])
        #expect(initialize.results == state)
        let predict = try function(.predict, steps: 6, rows: 4)
        #expect(predict.arguments == state + [batch[0]])
        #expect(predict.results == [TensorType(.float32, [8, 6, 4, 5])])
        #expect(try function(.finalize) == Signature(arguments: state, results: state))
    }
}

@Suite struct ProgramBundleTests {
    /// A bundle's folder, which goes when the test ends.
    final class Bench: Sendable {
        let root: FilePath

        init(_ json: String) throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "programs-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            root = FilePath(folder.path)
            try Data(json.utf8).write(to: folder.appending(path: "program.json"))
            try Data("code".utf8).write(to: folder.appending(path: "train.mlirbc"))
        }

        deinit { try? FileManager.default.removeItem(atPath: root.string) }
    }

    static let train = """
        {"name": "train", "lanes": 8, "steps": 6, "rows": 4, "form": "looped", "file": "train.mlirbc", "sha256": "SUM"}
        """

    func bench(sum: String = "", version: Int = 2) throws -> Bench {
        let described = try description(
            functions: Self.train.replacing("SUM", with: sum), version: version)
        return try Bench(String(decoding: JSONEncoder().encode(described), as: UTF8.self))
    }

    @Test("A function is found by its lanes, steps, rows and form, and by nothing less")
    func lookup() throws {
        let bench = try bench()
        let bundle = try ProgramBundle(bench.root)
        #expect(try bundle.function(.train, lanes: 8, steps: 6, rows: 4, form: "looped").file == "train.mlirbc")
        #expect(throws: ProgramError.self) { try bundle.function(.train, lanes: 4, steps: 6, rows: 4, form: "looped") }
        #expect(throws: ProgramError.self) { try bundle.function(.train, lanes: 8, steps: 5, rows: 4, form: "looped") }
        #expect(throws: ProgramError.self) { try bundle.function(.train, lanes: 8, steps: 6, rows: 3, form: "looped") }
        #expect(throws: ProgramError.self) {
            try bundle.function(.train, lanes: 8, steps: 6, rows: 4, form: "vectorized")
        }
        #expect(throws: ProgramError.self) { try bundle.function(.evaluate, lanes: 8, steps: 6, rows: 4) }
    }

    @Test("Code that is not what was lowered never reaches the plugin")
    func damagedCode() throws {
        // printf code | sha256sum
        let whole = try bench(sum: "5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b")
        let bundle = try ProgramBundle(whole.root)
        let entry = try bundle.function(.train, lanes: 8)
        #expect(throws: Never.self) { try bundle.code(of: entry) }
        let damaged = try bench(sum: String(repeating: "0", count: 64))
        let other = try ProgramBundle(damaged.root)
        #expect(throws: ProgramError.self) { try other.code(of: other.function(.train, lanes: 8)) }
    }

    @Test("A bundle whose numbers or averages stand in leaves that it has not is refused, and ends no runner")
    func leaves() throws {
        var described = try description()
        described.averages = [[0, 1]]
        described.parameters = try JSONDecoder().decode(
            [ProgramDescription.Parameter].self, from: Data(#"[{"name": "learning_rate", "leaf": 1}]"#.utf8))
        func read(_ described: ProgramDescription) throws {
            let bench = try Bench(String(decoding: JSONEncoder().encode(described), as: UTF8.self))
            _ = try ProgramBundle(bench.root)
        }
        #expect(throws: Never.self) { try read(described) }
        var wrong = described
        wrong.averages = [[0, 2]]
        #expect(throws: ProgramError.self) { try read(wrong) }
        wrong = described
        wrong.parameters[0].leaf = -1
        #expect(throws: ProgramError.self) { try read(wrong) }
    }

    @Test("A bundle of another version, half a bundle and no bundle are refused")
    func unreadable() throws {
        let later = try bench(version: 3)
        #expect(throws: ProgramError.self) { try ProgramBundle(later.root) }
        let half = try Bench("{\"version\": 2")
        #expect(throws: ProgramError.self) { try ProgramBundle(half.root) }
        #expect(throws: ProgramError.self) { try ProgramBundle("/nowhere") }
    }
}

@Suite(.enabled(if: TestPlugin.isThere, "needs PRONGHORN_TEST_PLUGIN")) struct LaneChoiceTests {
    @Test(
        "The best state of each lane is kept bit for bit, whatever its element type and shape, and only of chosen leaves",
        arguments: [[true, true, true, true], [true, false, true, false]])
    func chooses(chosen leaves: [Bool]) throws {
        let client = try TestPlugin.client
        let lanes = 4
        let state = [
            TensorType(.float32, [lanes, 2]), TensorType(.int32, [lanes]), TensorType(.uint32, [lanes, 1, 2]),
            TensorType(.bool, [lanes]),
        ]
        let executable = try client.compile(
            mlir: LaneChoice.module(state: state, lanes: lanes, chosen: leaves),
            signature: LaneChoice.signature(state: state, lanes: lanes))
        var mask = BufferList(client)
        mask.append(try client.buffer([true, false, true, false]))
        let first: [Float] = [.nan, -0.0, 2, 3, .infinity, 5, 6, 7]
        let second: [Float] = [10, 11, .nan, -0.0, 14, 15, 16, 17]
        func list(_ floats: [Float], _ base: Int32, _ flag: Bool) throws -> BufferList {
            var list = BufferList(client)
            list.append(try client.buffer(floats, shape: [lanes, 2]))
            list.append(try client.buffer((0..<4).map { base + $0 }))
            list.append(try client.buffer((0..<8).map { UInt32(bitPattern: base) + $0 }, shape: [lanes, 1, 2]))
            list.append(try client.buffer([Bool](repeating: flag, count: lanes)))
            return list
        }
        let chosen = try executable.execute(mask, list(first, 100, true), list(second, -200, false))
        let floats: [Float] = try chosen.array(0)
        let expected: [Float] = [.nan, -0.0, .nan, -0.0, .infinity, 5, 16, 17]
        #expect(floats.map(\.bitPattern) == expected.map(\.bitPattern))
        let numbers: [Int32] = try chosen.array(1)
        #expect(numbers == (leaves[1] ? [100, -199, 102, -197] : [-200, -199, -198, -197]))
        let words: [UInt32] = try chosen.array(2)
        #expect(words == [100, 101, UInt32.max - 197, UInt32.max - 196, 104, 105, UInt32.max - 193, UInt32.max - 192])
        let flags: [Bool] = try chosen.array(3)
        #expect(flags == (leaves[3] ? [true, false, true, false] : [false, false, false, false]))
    }
}
