import Bundles
import Files
import PJRT
import Programs
import SystemPackage
import TensorFiles
import Units

/// A cohort in the middle of its training, in one file: the state of every lane, and of its best epoch where that is kept.
///
/// The layout is that of safetensors: tensors `state/0000`, `best/0000`, … in the order of the program's leaves, [K, …]
/// each. The metadata say how many epochs are in it and the value of each lane's best epoch, as the bits of a double.
struct Checkpoint {
    private static let epochsKey = "epochs"
    private static let bestKey = "best_values"

    let epochs: Int
    private let file: SafetensorsFile
    private let name: String

    /// The file's name after so many epochs.
    static func fileName(epochs: Int) -> String {
        let text = String(epochs)
        return "checkpoint-\(String(repeating: "0", count: max(0, 6 - text.count)))\(text).safetensors"
    }

    /// Writes a checkpoint whole and durable.
    static func write(
        _ state: borrowing LoadedProgram.State, best: borrowing LoadedProgram.State?, values: BestEpochs, epochs: Int,
        program: LoadedProgram, to path: FilePath
    ) throws {
        let leaves = program.bundle.description.state
        let all = try download(state.leaves, "state", leaves) + download(best, leaves)
        try Safetensors.write(
            all.map { ($0.name, $0.dtype, $0.shape, $0.bytes.readOnly) },
            metadata: [epochsKey: String(epochs), bestKey: values.bits], to: path, durable: true)
    }

    private static func download(
        _ best: borrowing LoadedProgram.State?, _ leaves: [ProgramDescription.Leaf]
    ) throws -> [Tensor] {
        switch best {
        case .some(let best): return try download(best.leaves, "best", leaves)
        case .none: return []
        }
    }

    private typealias Tensor = (name: String, dtype: DType, shape: [Int], bytes: HostBatches)

    private static func download(
        _ list: borrowing BufferList, _ group: String, _ leaves: [ProgramDescription.Leaf]
    ) throws -> [Tensor] {
        var tensors: [Tensor] = []
        for (index, leaf) in leaves.enumerated() {
            guard let dtype = DType(rawValue: leaf.dtype) else {
                throw TrainingError(.invalidUnit, "leaf \(leaf.path) has the unknown element type \(leaf.dtype)")
            }
            let type = list.types[index]
            let bytes = HostBatches(byteCount: type.byteCount)
            try list.copyToHost(index, into: bytes.bytes)
            tensors.append((tensorName(group, index), dtype, type.shape, bytes))
        }
        return tensors
    }

    private static func tensorName(_ group: String, _ index: Int) -> String {
        let text = String(index)
        return "\(group)/\(String(repeating: "0", count: max(0, 4 - text.count)))\(text)"
    }

    /// Opens a checkpoint and checks it whole.
    init(_ path: FilePath) throws(TrainingError) {
        name = path.string
        do {
            file = try SafetensorsFile(path)
            guard try file.verifyDigest(), let epochs = file.metadata[Self.epochsKey].flatMap({ Int($0) }) else {
                throw TrainingError(.invalidUnit, "the checkpoint \(path) is damaged")
            }
            self.epochs = epochs
        } catch let error as TrainingError {
            throw error
        } catch {
            throw TrainingError(.invalidUnit, "the checkpoint \(path) cannot be read", cause: error)
        }
    }

    /// Whether it holds the states of best epochs.
    var hasBest: Bool { file.names.contains(Self.tensorName("best", 0)) }

    /// The best values of some of its lanes.
    func bestValues(_ best: Unit.Best?, lanes: [Int]) -> BestEpochs {
        BestEpochs(best, bits: file.metadata[Self.bestKey] ?? "", lanes: lanes)
    }

    /// The state of some of its lanes, on the device; spare lanes hold copies of the first.
    func state(best: Bool, lanes: [Int], of program: LoadedProgram) throws -> LoadedProgram.State {
        var leaves: [HostBatches] = []
        for index in program.bundle.description.state.indices {
            let tensor = try file.tensor(Self.tensorName(best ? "best" : "state", index))
            let bytes = HostBatches(byteCount: program.lanes * tensor.rowBytes)
            try tensor.withBytes { source in
                for target in 0..<program.lanes {
                    let lane = target < lanes.count ? lanes[target] : lanes.first ?? 0
                    guard lane >= 0, lane < tensor.rows, let base = bytes.bytes.baseAddress,
                        let from = source.baseAddress
                    else {
                        throw TrainingError(.invalidUnit, "the checkpoint \(name) has no lane \(lane)")
                    }
                    (base + target * tensor.rowBytes).copyMemory(
                        from: from + lane * tensor.rowBytes, byteCount: tensor.rowBytes)
                }
            }
            leaves.append(bytes)
        }
        return try withExtendedLifetime(leaves) {
            try program.state(leaves.map(\.readOnly))
        }
    }
}
