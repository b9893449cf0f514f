import Bundles
import PJRT
import Programs
import TensorFiles
import Units

/// Finds the lanes of a cohort that diverge, and gives them their last good weights back.
///
/// An epoch is good when its loss is finite and so are the weights that it leaves. The loss is of before the last step, so that
/// weights may be NaN a whole epoch before a loss tells: the states before the last two epochs are kept, and the weights
/// are looked at where it matters: after the last epoch, and once a loss has told.
///
/// Keeping costs one copy of the state an epoch, which the device makes when it may not overwrite what it is given.
final class Divergence {
    private let unit: Unit
    private let program: LoadedProgram
    /// The state before the epoch at hand, and the one before the epoch before it.
    private var last: KeptState?
    private var earlier: KeptState?

    /// A lane that has diverged.
    struct Lane: Equatable {
        var lane: Int
        /// The epochs that are in its state now; the first epoch's number where none left good weights.
        var kept: Int
    }

    /// - Parameter earlier: the state before the last epoch that a checkpoint holds, where it was needed.
    init(_ unit: Unit, _ program: LoadedProgram, _ earlier: consuming LoadedProgram.State?) {
        self.unit = unit
        self.program = program
        switch consume earlier {
        case .some(let state): last = KeptState(.earlier, state)
        case .none: last = nil
        }
    }

    /// Takes the state before an epoch's first step.
    func keep(_ state: consuming LoadedProgram.State) {
        earlier = last
        last = KeptState(.earlier, state)
    }

    /// Finds the lanes that diverged in an epoch, and puts their last good weights into the state.
    ///
    /// - Parameters:
    ///   - losses: the epoch's loss of each lane; nil where the model logs none.
    ///   - active: the lanes that trained it.
    func epochEnded(
        _ epoch: Int, _ losses: [Double]?, _ active: [Bool], _ state: inout LoadedProgram.State
    ) throws -> [Lane] {
        var bad = active.indices.filter { active[$0] && !(losses?[$0].isFinite ?? true) }
        if epoch + 1 == unit.fit.lastEpoch {
            let others = active.indices.filter { active[$0] && !bad.contains($0) }
            bad = (bad + (try program.lanesWithBadWeights(in: state, among: others))).sorted()
        }
        if bad.isEmpty { return [] }
        var found = bad.map { Lane(lane: $0, kept: unit.fit.initialEpoch) }
        var left = Set(bad)
        for (kept, epochs) in [(last, epoch), (earlier, epoch - 1)] where !left.isEmpty {
            guard let kept else { continue }
            let spoilt = try kept.withState { try program.lanesWithBadWeights(in: $0, among: left.sorted()) } ?? []
            let good = left.subtracting(spoilt)
            if good.isEmpty { continue }
            try kept.restore(active.indices.map(good.contains), in: &state, program)
            for index in found.indices where good.contains(found[index].lane) { found[index].kept = epochs }
            left = Set(spoilt)
        }
        return found
    }

    /// What a checkpoint must hold beside the state: the one before it, if the weights of an active lane are bad already.
    func needed(beside state: borrowing LoadedProgram.State, _ active: [Bool]) throws -> [KeptState] {
        let spoilt = try program.lanesWithBadWeights(in: state, among: active.indices.filter { active[$0] })
        return spoilt.isEmpty ? [] : [last].compactMap(\.self)
    }
}

extension LoadedProgram {
    /// Those of some lanes that have a trainable weight that is NaN or infinite.
    func lanesWithBadWeights(in state: borrowing State, among chosen: [Int]) throws -> [Int] {
        var left = chosen
        for (index, leaf) in bundle.description.state.enumerated() where leaf.role == .trainable && !left.isEmpty {
            guard let exponent = Exponent(leaf.dtype) else { continue }
            let bytes = HostBatches(byteCount: state.leaves.types[index].byteCount)
            try state.leaves.copyToHost(index, into: bytes.bytes)
            let laneBytes = bytes.readOnly.count / lanes
            left.removeAll { lane in
                exponent.isFull(
                    in: UnsafeRawBufferPointer(rebasing: bytes.readOnly[lane * laneBytes..<(lane + 1) * laneBytes]))
            }
        }
        return chosen.filter { !left.contains($0) }
    }
}

/// The bits of a floating-point number that are all set in NaN and in infinities, and in no other number.
enum Exponent {
    case of16(UInt16)
    case of32
    case of64

    /// Nil for a type that has neither.
    init?(_ dtype: String) {
        switch dtype {
        case "float16": self = .of16(0x7C00)
        case "bfloat16": self = .of16(0x7F80)
        case "float32": self = .of32
        case "float64": self = .of64
        default: return nil
        }
    }

    /// Whether an array in memory holds NaN or an infinity.
    func isFull(in bytes: UnsafeRawBufferPointer) -> Bool {
        switch self {
        case .of16(let mask): bytes.bindMemory(to: UInt16.self).contains { $0 & mask == mask }
        case .of32: bytes.bindMemory(to: UInt32.self).contains { $0 & 0x7F80_0000 == 0x7F80_0000 }
        case .of64: bytes.bindMemory(to: UInt64.self).contains { $0 & 0x7FF0_0000_0000_0000 == 0x7FF0_0000_0000_0000 }
        }
    }
}
