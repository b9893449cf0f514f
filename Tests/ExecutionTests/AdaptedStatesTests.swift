import Bundles
import Foundation
import TensorFiles
import Testing

@testable import Datasets
@testable import Execution

@Suite struct AdaptedStatesTests {
    private let rows = [TrainingRows(partition: 0, count: 5), TrainingRows(partition: 0, count: 4)]

    /// A layer whose mean and variance are the leaves 1 and 2, adapted to two sets of rows.
    private var adapted: AdaptedStates {
        AdaptedStates(
            layers: [.init(layer: "scale", input: 0, shape: [2], axes: [0], mean: 1, variance: 2)],
            moments: [
                rows[0]: [Moments(mean: [1, 2], variance: [0.5, 4])],
                rows[1]: [Moments(mean: [3, 0.1], variance: [0, 1e300])],
            ])
    }

    private func state(_ dtype: String) throws -> [ProgramDescription.Leaf] {
        let leaf = #"{"path": "scale", "role": "non_trainable", "shape": [2], "dtype": "\#(dtype)", "weight": true}"#
        return try JSONDecoder().decode([ProgramDescription.Leaf].self, from: Data("[\(leaf), \(leaf), \(leaf)]".utf8))
    }

    @Test("Leaves hold what each set of rows gives, in their order, rounded to the type of the leaf")
    func leaves() throws {
        let leaves = try adapted.leaves(for: [rows[1], rows[0]], of: state("float32"))
        #expect(leaves.map(\.name) == ["state/0001", "state/0002"])
        #expect(leaves.allSatisfy { $0.dtype == .float32 && $0.shape == [2, 2] })
        let numbers = leaves.map { leaf in leaf.bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) } }
        #expect(numbers == [[3, 0.1, 1, 2], [0, .infinity, 0.5, 4]])
    }

    @Test(
        "A leaf that can hold no mean, of a type that there is or that there is not, is an error that names it",
        arguments: ["int32", "float8"])
    func wrongLeaf(dtype: String) throws {
        #expect {
            _ = try adapted.leaves(for: rows, of: state(dtype))
        } throws: {
            "\($0)" == "scale holds \(dtype), no means or variances"
        }
    }

    @Test("A leaf that the program has not and rows that were not read are errors that name the layer")
    func missing() throws {
        let state = try state("float32")
        #expect {
            _ = try adapted.leaves(for: rows, of: [state[0]])
        } throws: {
            "\($0)".contains("no leaf 1, which 'scale'")
        }
        #expect {
            _ = try adapted.leaves(for: [TrainingRows(partition: 1, count: 5)], of: state)
        } throws: {
            "\($0)".contains("'scale' is adapted to were not read")
        }
    }
}
