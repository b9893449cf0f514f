import Bundles
import PJRT
import Programs
import TensorFiles
import Units

/// A cohort's weights back from the device, to be written as model files.
struct TrainedState: Sendable {
    /// Which of a trial's models it holds.
    enum Kind: String, Sendable {
        case initial, best, final
    }

    let kind: Kind
    let unit: Unit
    let bundle: ProgramBundle
    /// The leaves that a `.keras` file holds: where in the template, and the bytes of all lanes.
    private let leaves: [(offset: Int, laneBytes: Int, bytes: HostBatches)]

    init(_ state: borrowing LoadedProgram.State, _ kind: Kind, of unit: Unit, _ program: LoadedProgram) throws {
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
        kind == .final ? "\(lane.name).keras" : "\(lane.name).\(kind.rawValue).keras"
    }

    /// The bytes that one lane puts into the template.
    func patches(lane: Int) -> [(offset: Int, bytes: UnsafeRawBufferPointer)] {
        leaves.map { leaf in
            let start = lane * leaf.laneBytes
            return (leaf.offset, UnsafeRawBufferPointer(rebasing: leaf.bytes.readOnly[start..<start + leaf.laneBytes]))
        }
    }

    /// The numbers that one lane puts into the template's configuration.
    func configPatches(lane: Unit.Lane) -> [(span: Range<Int>, text: String)] {
        bundle.description.parameters.compactMap { parameter in
            guard let value = lane.parameters[parameter.name], let span = parameter.span, span.count == 2 else {
                return nil
            }
            return (span[0]..<span[0] + span[1], "\(value)")
        }
    }
}
