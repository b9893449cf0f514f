import Bundles
import Files
import FoundationEssentials
import PJRT
import SystemPackage
import TensorFiles
import Units

@testable import Training

/// The plugin that device tests use; without PRONGHORN_TEST_PLUGIN they are shown as disabled.
enum TestPlugin {
    static let path = ProcessInfo.processInfo.environment["PRONGHORN_TEST_PLUGIN"].map { FilePath($0) }
    static let isThere = path != nil

    private static let shared = Result {
        try Client(Plugin.load(path ?? ""), options: ["cpu_device_count": .int64(1)])
    }
    static var client: Client { get throws { try shared.get() } }
}

/// A folder with arrays of two inputs, and a unit's rows of them; it goes when the test ends.
final class Bench: Sendable {
    let root: FilePath
    let rows: Int

    /// Two inputs: `x`, float32 [3], whose row r holds 3r, 3r + 1, 3r + 2, and `y`, int32, which holds -r.
    static let description = """
        {"version": 2, "name": "m", "keras": "3", "jax": "0", "stablehlo": "1", "batch_size": 4, "draws": 2,
        "inputs": [{"name": "x", "role": "x", "shape": [3], "dtype": "float32"},
        {"name": "y", "role": "y", "shape": [], "dtype": "int32"}], "outputs": [], "state": [], "logs": ["loss"],
        "evaluate_logs": ["loss"], "directions": {}, "parameters": [], "trainable_parameters": 0, "has_convolution": false,
        "finalizes": false, "sources": [], "notes": [], "functions": []}
        """

    init(rows: Int = 20) throws {
        self.rows = rows
        let folder = FileManager.default.temporaryDirectory.appending(path: "training-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        root = FilePath(folder.path)
        try (0..<rows * 3).map(Float.init).withUnsafeBytes {
            try NPY.write($0, dtype: .float32, shape: [rows, 3], to: root.appending("x.npy"))
        }
        try (0..<rows).map { Int32(-$0) }.withUnsafeBytes {
            try NPY.write($0, dtype: .int32, shape: [rows], to: root.appending("y.npy"))
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: root.string) }

    func writeRows(_ rows: [Int32]) throws {
        try rows.withUnsafeBytes {
            try NPY.write($0, dtype: .int32, shape: [rows.count], to: root.appending("rows.npy"))
        }
    }

    var description: ProgramDescription {
        get throws { try JSONDecoder().decode(ProgramDescription.self, from: Data(Self.description.utf8)) }
    }

    /// The arrays as they are now.
    func source() throws -> Unit.DataSource {
        Unit.DataSource(
            arrays: try [("x", "float32", [rows, 3]), ("y", "int32", [rows])].map { name, dtype, shape in
                let file = root.appending("\(name).npy")
                let mapped = try MappedFile(file)
                return Unit.ArrayReference(
                    input: name, file: file.string, offset: mapped.size - rows * 4 * (shape.count == 2 ? 3 : 1),
                    dtype: dtype, shape: shape, fileSize: mapped.size, modified: mapped.modified)
            })
    }

    func unit(
        _ training: [Unit.RowRange], validation: Unit.RowRange? = nil, sources: [Unit.DataSource]? = nil
    ) throws -> Unit {
        Unit(
            id: "0000", work: .train, program: .init(folder: "", key: ""),
            packing: .init(lanes: 4, steps: 2, evaluateSteps: 1, form: "vectorized"),
            lanes: training.enumerated().map { index, range in
                .init(
                    trial: index, name: "000\(index)", seed: UInt64(index), parameters: [:], start: .initialize,
                    source: 0,
                    training: range, validation: validation)
            }, sources: try sources ?? [source()],
            fit: .init(
                firstEpoch: 0, lastEpoch: 1, batchSize: 4, validationBatchSize: 4, validationFrequency: .every(1),
                shuffle: .rows),
            save: .init(final: true))
    }

    /// The data of a unit, or the code of the error that refuses it.
    func data(_ unit: Unit) throws(TrainingError) -> UnitData {
        let description: ProgramDescription
        do { description = try self.description } catch { throw TrainingError(.files, "\(error)") }
        return try UnitData(unit, in: root, for: description)
    }

    func refusal(_ unit: Unit) -> TrainingError.Code? {
        do throws(TrainingError) {
            _ = try data(unit)
            return nil
        } catch {
            return error.code
        }
    }
}
