import Bundles
import PJRT
import Programs
import SystemPackage
import TensorFiles
import Units

/// A cohort's weights back from the device, to be written as model files.
struct TrainedState: Sendable {
    /// Which of a trial's models it holds.
    enum Kind: String, Sendable {
        /// Before the first step.
        case initial
        /// Of the best epoch.
        case best
        /// As `Model.fit` leaves it.
        case final
        /// As a `ModelCheckpoint` saves it.
        case checkpoint
    }

    let kind: Kind
    let unit: Unit
    let bundle: ProgramBundle
    /// The lanes whose models it is for.
    let lanes: [Int]
    /// What stands between the trial's name and `.keras` in a file's name; empty for nothing.
    private let suffix: String
    /// The leaves that a `.keras` file holds: where in the template, and the bytes of all lanes.
    private let leaves: [(offset: Int, laneBytes: Int, bytes: HostBatches)]

    /// The learning rates that the leaf of that name holds, in every lane.
    private let rates: [Float]?

    /// Brings a state back.
    ///
    /// - Parameters:
    ///   - lanes: those whose models are wanted; nil: all.
    ///   - suffix: what the files' names end in; nil: the kind's name, or nothing for a final model.
    init(
        _ state: borrowing LoadedProgram.State, _ kind: Kind, of unit: Unit, _ program: LoadedProgram,
        lanes: [Int]? = nil, suffix: String? = nil
    ) throws {
        self.lanes = lanes ?? Array(unit.lanes.indices)
        self.suffix = suffix ?? (kind == .final ? "" : kind.rawValue)
        rates = unit.callbacks.contains { $0.setsLearningRate } ? try program.values("learning_rate", in: state) : nil
        self.kind = kind
        self.unit = unit
        bundle = program.bundle
        var leaves: [(offset: Int, laneBytes: Int, bytes: HostBatches)] = []
        for (index, leaf) in program.bundle.description.state.enumerated() {
            guard let offset = leaf.offset else { continue }
            let type = state.leaves.types[index]
            let bytes = HostBatches(byteCount: type.byteCount)
            try state.leaves.copyToHost(index, into: bytes.bytes)
            leaves.append((offset, type.byteCount / program.lanes, bytes))
        }
        self.leaves = leaves
    }

    /// The file's name inside the unit's folder `models`.
    func fileName(of lane: Unit.Lane) -> String {
        suffix.isEmpty ? "\(lane.name).keras" : "\(lane.name).\(suffix).keras"
    }

    /// The bytes that one lane puts into the template.
    func patches(lane: Int) -> [(offset: Int, bytes: UnsafeRawBufferPointer)] {
        leaves.map { leaf in
            let start = lane * leaf.laneBytes
            return (leaf.offset, UnsafeRawBufferPointer(rebasing: leaf.bytes.readOnly[start..<start + leaf.laneBytes]))
        }
    }

    /// What one lane puts into the template's configuration: its numbers, or the configuration of its starting model.
    func configPatches(
        lane index: Int, of template: KerasTemplate
    ) throws -> [(span: Range<Int>, text: String)] {
        guard let file = unit.lanes[index].configurationFile else {
            return numbers(ofLane: index, at: bundle.description.parameters.map(\.span))
        }
        let start = try StartingModel(FilePath(file))
        let text = start.configuration(with: numbers(ofLane: index, at: start.spans))
        return [(template.configurationSpan, text)]
    }

    /// The numbers of one lane, each with its place in a configuration.
    private func numbers(ofLane index: Int, at spans: [[Int]?]) -> [(span: Range<Int>, text: String)] {
        zip(bundle.description.parameters, spans).compactMap { parameter, span in
            // A callback may have set another learning rate; Keras then writes what the variable holds.
            let isRate = parameter.leaf != nil && parameter.leaf == bundle.description.learningRateLeaf
            let set = isRate ? rates.map { Double($0[index]) } : nil
            guard let value = set ?? parameter.value(unit.lanes[index].parameters), let span, span.count == 2,
                span.allSatisfy((0...Int(Int32.max)).contains)
            else { return nil }
            return (span[0]..<span[0] + span[1], "\(value)")
        }
    }
}
