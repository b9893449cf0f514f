import Bundles
import PJRT
import Programs
import SystemPackage
import TensorFiles

/// What a checkpoint will hold, back from the device and not yet a file.
struct CheckpointImage: Sendable {
    let epochs: Int
    private let tensors: [Tensor]
    private let metadata: [String: String]

    private struct Tensor: Sendable {
        var name: String
        var dtype: DType
        var shape: [Int]
        var bytes: HostBatches
    }

    /// Brings the lanes' state back, and the states that are kept beside it.
    init(
        _ state: borrowing LoadedProgram.State, kept: [KeptState], values: BestEpochs, callbacks: CohortCallbacks,
        epochs: Int, program: LoadedProgram
    ) throws {
        let leaves = program.bundle.description.state
        var all = try Self.download(state.leaves, .state, leaves)
        for kept in kept {
            all += try kept.withState { try Self.download($0.leaves, kept.group, leaves) } ?? []
        }
        self.epochs = epochs
        tensors = all
        metadata = [
            Checkpoint.epochsKey: String(epochs), Checkpoint.bestKey: values.bits,
            Checkpoint.callbacksKey: try callbacks.json(),
        ]
    }

    var fileName: String { Checkpoint.fileName(epochs: epochs) }

    /// Writes the checkpoint into a unit's folder, whole and durable.
    func write(in folder: FilePath) throws {
        try Safetensors.write(
            tensors.map { ($0.name, $0.dtype, $0.shape, $0.bytes.readOnly) }, metadata: metadata,
            to: folder.appending(fileName), durable: true)
    }

    private static func download(
        _ list: borrowing BufferList, _ group: Checkpoint.Group, _ leaves: [ProgramDescription.Leaf]
    ) throws -> [Tensor] {
        var tensors: [Tensor] = []
        for (index, leaf) in leaves.enumerated() {
            guard let dtype = DType(rawValue: leaf.dtype) else {
                throw TrainingError(.invalidUnit, "leaf \(leaf.path) has the unknown element type \(leaf.dtype)")
            }
            let type = list.types[index]
            let bytes = HostBatches(byteCount: type.byteCount)
            try list.copyToHost(index, into: bytes.bytes)
            tensors.append(
                Tensor(name: Checkpoint.tensorName(group, index), dtype: dtype, shape: type.shape, bytes: bytes))
        }
        return tensors
    }
}
