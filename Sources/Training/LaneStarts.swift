import Bundles
import PJRT
import Programs
import SystemPackage
import TensorFiles
import Units

/// Where the lanes of a unit start: drawn from their seeds, with the weights of a starting model, or in the middle of
/// their training, each lane from a file of its own if need be.
struct LaneStarts {
    private let unit: Unit
    private let program: LoadedProgram
    /// The files that lanes start from, by path.
    private let files: [String: Checkpoint]
    /// The leaves of layers that are adapted to the lanes' rows.
    private let adapted: Checkpoint?

    /// Opens every file that a lane starts from, and checks it whole.
    ///
    /// - Parameter folder: the unit's.
    init(_ unit: Unit, of program: LoadedProgram, in folder: FilePath) throws(TrainingError) {
        self.unit = unit
        self.program = program
        var files: [String: Checkpoint] = [:]
        for lane in unit.lanes {
            guard case .checkpoint(let file, _) = lane.start, files[file] == nil else { continue }
            let checkpoint = try Checkpoint(FilePath(file))
            if let epochs = checkpoint.epochs, epochs != unit.fit.firstEpoch {
                throw TrainingError(
                    .invalidUnit,
                    "the checkpoint \(file) is of epoch \(epochs), the unit begins with epoch \(unit.fit.firstEpoch)")
            }
            files[file] = checkpoint
        }
        self.files = files
        if let name = unit.adaptedFile {
            adapted = try Checkpoint(folder.appending(name))
        } else {
            adapted = nil
        }
    }

    /// Whether no lane goes on with training that an earlier unit began.
    var areBeginnings: Bool { files.values.allSatisfy { $0.epochs == nil } }

    /// The state of all lanes, on the device; spare lanes hold copies of the first.
    func state() throws -> LoadedProgram.State {
        guard !files.isEmpty || adapted != nil else { return try drawn() }
        guard needsDrawing else { return try assembled(.state) { _, _ in } }
        let base = try drawn()
        return try assembled(.state) { leaf, memory in try base.leaves.copyToHost(leaf, into: memory.bytes) }
    }

    /// The states that were kept beside the lanes' own, where any was; a lane without one holds its state now.
    func kept(_ group: Checkpoint.Group, beside state: borrowing LoadedProgram.State) throws -> LoadedProgram.State? {
        guard files.values.contains(where: { $0.holds(group, leaf: 0) }) else { return nil }
        return try assembled(group) { leaf, memory in try state.leaves.copyToHost(leaf, into: memory.bytes) }
    }

    /// What the unit's callbacks remember of the lanes.
    func callbacks() throws(TrainingError) -> [LaneCallbacks] {
        let fresh = LaneCallbacks(unit.callbacks)
        var lanes: [LaneCallbacks] = []
        for lane in unit.lanes {
            let remembered = file(of: lane)?.callbacks(of: lane.start.lane) ?? fresh
            guard remembered.callbacks.count == fresh.callbacks.count else {
                throw TrainingError(.invalidUnit, "the checkpoint of trial \(lane.name) is of other callbacks")
            }
            lanes.append(remembered)
        }
        return lanes
    }

    /// The best values of the lanes so far.
    func bestValues() -> BestEpochs {
        let values = unit.lanes.map { lane in file(of: lane)?.bestValue(of: lane.start.lane) }
        return BestEpochs(unit.save.best, values: values)
    }

    // MARK: How a state comes about

    private func file(of lane: Unit.Lane) -> Checkpoint? {
        guard case .checkpoint(let file, _) = lane.start else { return nil }
        return files[file]
    }

    /// Whether a lane has leaves that its seed draws: all of them, or those that a starting model leaves out.
    private var needsDrawing: Bool {
        unit.lanes.contains { lane in
            guard let file = file(of: lane) else { return true }
            return program.bundle.description.state.indices.contains { !file.holds(.state, leaf: $0) }
        }
    }

    /// Every lane's state as its seed draws it, with its numbers in their leaves.
    private func drawn() throws -> LoadedProgram.State {
        let seeds = unit.lanes.map { lane in program.bundle.description.seeds(for: lane.seed) }
        var state = try program.initialize(seeds: seeds)
        try program.set(unit.lanes.map(\.parameters), in: &state)
        return state
    }

    /// The lanes' leaves from their files; `fill` brings what a file does not hold, before the lanes are copied over it.
    private func assembled(
        _ group: Checkpoint.Group, over fill: (Int, HostBatches) throws -> Void
    ) throws -> LoadedProgram.State {
        var leaves: [HostBatches] = []
        for (index, leaf) in program.bundle.description.state.enumerated() {
            guard let laneBytes = DType(rawValue: leaf.dtype)?.byteCount(of: leaf.shape) else {
                throw TrainingError(.invalidUnit, "leaf \(leaf.path) has the unknown element type \(leaf.dtype)")
            }
            let memory = HostBatches(byteCount: program.lanes * laneBytes)
            try fill(index, memory)
            for target in 0..<program.lanes {
                let lane = unit.lanes[target < unit.lanes.count ? target : 0]
                let place = UnsafeMutableRawBufferPointer(
                    rebasing: memory.bytes[target * laneBytes..<(target + 1) * laneBytes])
                let file = file(of: lane)
                let isHeld = try file?.copy(group, leaf: index, lane: lane.start.lane, into: place, as: leaf) ?? false
                guard file?.epochs == nil else { continue }
                // What is chosen for a trial goes before what its starting model was trained with.
                if isHeld, let value = number(in: index, of: lane), let bytes = leaf.bytes(of: value),
                    bytes.count == place.count
                {
                    place.copyBytes(from: bytes)
                }
                // So does what its layers are adapted to.
                if group == .state, let adapted, let number = lane.adapted {
                    _ = try adapted.copy(.state, leaf: index, lane: number, into: place, as: leaf)
                }
            }
            leaves.append(memory)
        }
        return try withExtendedLifetime(leaves) { try program.state(leaves.map(\.readOnly)) }
    }

    /// The number that a lane has of its own in a leaf.
    private func number(in leaf: Int, of lane: Unit.Lane) -> Double? {
        program.bundle.description.parameters.lazy.filter { $0.leaf == leaf }.compactMap { $0.value(lane.parameters) }
            .first
    }
}
