import Bundles
import PJRT
import SystemPackage
import TensorFiles
import Units

/// The rows of a unit's lanes and the mapped arrays they are of, checked before anything is trained.
struct UnitData: Sendable {
    let sources: [DataArrays]
    let training: [RowOrder]
    let validation: [RowOrder?]

    init(_ unit: Unit, in folder: FilePath, for description: ProgramDescription) throws(TrainingError) {
        var sources: [DataArrays] = []
        for source in unit.sources { sources.append(try DataArrays(source, for: description.inputs)) }
        self.sources = sources
        let rows = try Self.rows(folder.appending(unit.rowsFile))
        var training: [RowOrder] = []
        var validation: [RowOrder?] = []
        for lane in unit.lanes {
            training.append(try Self.order(lane.training, rows, of: lane.source, sources))
            if let range = lane.validation {
                validation.append(try Self.order(range, rows, of: lane.validationSource ?? lane.source, sources))
            } else {
                validation.append(nil)
            }
        }
        self.training = training
        self.validation = validation
    }

    private static func order(
        _ range: Unit.RowRange, _ rows: [Int32], of source: Int, _ sources: [DataArrays]
    ) throws(TrainingError) -> RowOrder {
        guard sources.indices.contains(source) else {
            throw TrainingError(.invalidUnit, "source \(source) of \(sources.count) is asked for")
        }
        let order = try RowOrder(range, in: rows)
        guard order.lowest >= 0, order.highest < sources[source].rows else {
            throw TrainingError(
                .invalidUnit, "row \(order.highest) is asked for, but there are \(sources[source].rows) rows")
        }
        return order
    }

    private static func rows(_ path: FilePath) throws(TrainingError) -> [Int32] {
        do {
            let array = try MappedArray(path)
            guard array.dtype == .int32, array.shape.count == 1 else {
                throw TrainingError(.invalidUnit, "\(path) does not hold int32 row numbers")
            }
            return array.bytes.withMemoryRebound(to: Int32.self) { Array($0) }
        } catch let error as TrainingError {
            throw error
        } catch {
            throw TrainingError(.invalidUnit, "\(path) cannot be read", cause: error)
        }
    }

    /// Gathers the lanes' rows and hands them to the device: a buffer an input, [width, steps, rows, …].
    func upload(
        _ lanes: [LaneBatch], to client: Client, width: Int, steps: Int, rows: Int, of description: ProgramDescription
    ) throws -> BufferList {
        let types = try description.inputs.map { input in
            guard let type = ElementType(rawValue: input.dtype) else {
                throw TrainingError(.invalidUnit, "input \(input.name) has the unknown element type \(input.dtype)")
            }
            return TensorType(type, [width, steps, rows] + input.shape)
        }
        let rowBytes = types.map { $0.byteCount / (width * steps * rows) }
        var buffers = BufferList(client)
        let gathered = BatchAssembly.gather(lanes, width: width, laneRows: steps * rows, rowBytes: rowBytes)
        for (batches, type) in zip(gathered, types) {
            buffers.append(
                try client.buffer(
                    borrowing: batches.readOnly, owner: batches, type: type.elementType, shape: type.shape))
        }
        return buffers
    }
}
