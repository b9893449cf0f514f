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
/// each. The metadata say how many epochs are in it, the value of each lane's best epoch, as the bits of a double, and what
/// callbacks remember of each lane.
///
/// A starting model that lowering has read is a file of the same layout, with one lane, no epochs, and without the
/// leaves that a trial's seed draws.
struct Checkpoint {
    static let epochsKey = "epochs"
    static let bestKey = "best_values"
    static let callbacksKey = "callbacks"

    /// A group of tensors, one a leaf.
    enum Group: Equatable {
        /// The lanes as they were when the checkpoint was written.
        case state
        /// The lanes as they were after their best epochs.
        case best
        /// The lanes as they were an epoch before, where the weights of any are NaN or infinite already.
        case earlier
        /// The lanes as the callback of this number keeps them.
        case callback(Int)

        /// The group's name in the file.
        var name: String {
            switch self {
            case .state: "state"
            case .best: "best"
            case .earlier: "earlier"
            case .callback(let number): "callback-\(number)"
            }
        }
    }

    /// The epochs that are in it; nil for a starting model.
    let epochs: Int?
    private let file: SafetensorsFile
    private let name: String
    private let bestValues: [Double?]
    private let callbacks: [LaneCallbacks]

    /// The file's name after so many epochs.
    static func fileName(epochs: Int) -> String {
        let text = String(epochs)
        return "checkpoint-\(String(repeating: "0", count: max(0, 6 - text.count)))\(text).safetensors"
    }

    static func tensorName(_ group: Group, _ index: Int) -> String {
        StateTensor.name(group.name, leaf: index)
    }

    /// Removes from a unit's folder what a newer checkpoint has made superfluous.
    static func removeOthers(than kept: String, in folder: FilePath) throws {
        for name in try Folder.list(folder) where name.hasPrefix("checkpoint-") && name != kept {
            try Folder.remove(own: folder.appending(name))
        }
    }

    /// Opens a checkpoint or a starting model and checks it whole.
    init(_ path: FilePath) throws(TrainingError) {
        name = path.string
        do {
            file = try SafetensorsFile(path)
            let text = file.metadata[Self.epochsKey]
            epochs = text.flatMap { Int($0) }
            guard try file.verifyDigest(), text == nil || epochs != nil else {
                throw TrainingError(.invalidUnit, "the checkpoint \(path) is damaged")
            }
            callbacks = try file.metadata[Self.callbacksKey].map(CohortCallbacks.lanes) ?? []
            bestValues = BestEpochs.values(ofBits: file.metadata[Self.bestKey] ?? "")
        } catch let error as TrainingError {
            throw error
        } catch {
            throw TrainingError(.invalidUnit, "the checkpoint \(path) cannot be read", cause: error)
        }
    }

    /// Whether it holds a leaf.
    func holds(_ group: Group, leaf: Int) -> Bool { file.contains(Self.tensorName(group, leaf)) }

    /// What the callbacks remember of a lane; nil in a starting model.
    func callbacks(of lane: Int) -> LaneCallbacks? { callbacks.indices.contains(lane) ? callbacks[lane] : nil }

    /// The value of a lane's best epoch.
    func bestValue(of lane: Int) -> Double? { bestValues.indices.contains(lane) ? bestValues[lane] : nil }

    /// Copies one lane of a leaf; false when the file does not hold the leaf.
    func copy(
        _ group: Group, leaf index: Int, lane: Int, into target: UnsafeMutableRawBufferPointer,
        as leaf: ProgramDescription.Leaf
    ) throws -> Bool {
        guard holds(group, leaf: index) else { return false }
        let tensor = try file.tensor(Self.tensorName(group, index))
        guard tensor.dtype.rawValue == leaf.dtype, Array(tensor.shape.dropFirst()) == leaf.shape else {
            throw TrainingError(.invalidUnit, "\(name) is of another program: \(leaf.path) has another shape or type")
        }
        guard tensor.shape.count == leaf.shape.count + 1, (0..<tensor.rows).contains(lane) else {
            throw TrainingError(.invalidUnit, "the checkpoint \(name) has no lane \(lane)")
        }
        tensor.withBytes { source in
            target.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: source[lane * target.count..<(lane + 1) * target.count]))
        }
        return true
    }
}
