import Bundles
import PJRT
import Programs
import SystemPackage
import TensorFiles
import Units

/// The state of a unit whose lanes are models that a run has left: each lane's weights from its `.keras` file.
///
/// What such a file does not hold is drawn from the trial's seed (generators of random numbers, which Keras gives any state it
/// likes when it loads a model), is the trial's own number, or begins at zero: metrics, which begin anew with each evaluation.
struct SavedStates {
    let unit: Unit
    let program: LoadedProgram

    /// The state of all lanes, on the device; spare lanes hold copies of the first.
    func state() throws -> LoadedProgram.State {
        let leaves = program.bundle.description.state
        let sizes = try leaves.map { leaf in
            guard let size = DType(rawValue: leaf.dtype)?.byteCount(of: leaf.shape) else {
                throw TrainingError(.invalidUnit, "leaf \(leaf.path) has the unknown element type \(leaf.dtype)")
            }
            return size
        }
        let memories = sizes.map { HostBatches(byteCount: program.lanes * $0) }
        try fill(memories, leaves)
        let places = zip(leaves, sizes).map { leaf, size in leaf.offset.map { $0..<$0 + size } }
        let template = try KerasTemplate(program.bundle.template)
        for lane in 0..<program.lanes {
            // Spare lanes compute too, and must not compute with what makes them slow.
            let source = lane < unit.lanes.count ? lane : 0
            if lane > source {
                copy(lane: source, to: lane, memories, sizes)
                continue
            }
            guard case .model(let file) = unit.lanes[source].start else {
                throw TrainingError(.invalidUnit, "trial \(unit.lanes[source].name) of unit \(unit.id) names no model")
            }
            let model = try KerasWeights(FilePath(file), madeFrom: template, tensors: places.compactMap { $0 })
            for (leaf, place) in places.enumerated() {
                guard let place else { continue }
                let start = lane * sizes[leaf]
                try model.copy(
                    place,
                    into: UnsafeMutableRawBufferPointer(rebasing: memories[leaf].bytes[start..<start + place.count]))
            }
        }
        var state = try withExtendedLifetime(memories) { try program.state(memories.map(\.readOnly)) }
        // Numbers that are in no variable, such as a rate of dropout, are in no file either.
        try program.set(unit.lanes.map(\.parameters), in: &state)
        return state
    }

    /// Puts into every leaf what it holds where no file says otherwise.
    private func fill(_ memories: [HostBatches], _ leaves: [ProgramDescription.Leaf]) throws {
        let isDrawn = leaves.map(\.isDrawnBeyondFiles)
        for (memory, isDrawn) in zip(memories, isDrawn) where !isDrawn {
            memory.bytes.initializeMemory(as: UInt8.self, repeating: 0)
        }
        guard isDrawn.contains(true) else { return }
        let drawn = try program.initialize(seeds: unit.lanes.map { program.bundle.description.seeds(for: $0.seed) })
        for (leaf, memory) in memories.enumerated() where isDrawn[leaf] {
            try drawn.leaves.copyToHost(leaf, into: memory.bytes)
        }
    }

    private func copy(lane source: Int, to lane: Int, _ memories: [HostBatches], _ sizes: [Int]) {
        for (memory, size) in zip(memories, sizes) where size > 0 {
            UnsafeMutableRawBufferPointer(rebasing: memory.bytes[lane * size..<(lane + 1) * size])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: memory.bytes[source * size..<(source + 1) * size]))
        }
    }
}
