import PJRT
import Units

/// Arrays that lie whole on the device, brought there once for all units that are of them.
///
/// Those of a unit stay until a unit of others begins, so that no more is held than the planner has counted.
final class ResidentArrays {
    /// One source's arrays, one a program input.
    final class Source {
        let arrays: BufferList

        init(_ arrays: consuming BufferList) {
            self.arrays = arrays
        }
    }

    private let client: Client
    private var sources: [Unit.DataSource: Source] = [:]

    init(_ client: Client) {
        self.client = client
    }

    /// Lets go of all arrays but a unit's.
    func keep(only unit: Unit) {
        sources = sources.filter { unit.sources.contains($0.key) }
    }

    /// The arrays that all lanes of a call are of, if they lie on the device; nil where the host gathers the rows.
    func source(of lanes: [LaneBatch]) throws -> Source? {
        let used = lanes.filter { $0.count > 0 }
        guard let data = used.first?.data, data.source.isResident == true,
            used.dropFirst().allSatisfy({ $0.data.source == data.source })
        else { return nil }
        if let known = sources[data.source] { return known }
        var arrays = BufferList(client)
        for (reference, column) in zip(data.source.arrays, data.columns) {
            guard let type = ElementType(rawValue: reference.dtype) else {
                throw TrainingError(
                    .invalidUnit, "array \(reference.input) has the unknown element type \(reference.dtype)")
            }
            let bytes = UnsafeRawBufferPointer(start: column.base, count: column.rowBytes * data.rows)
            arrays.append(
                try client.buffer(borrowing: bytes, owner: column.file, type: type, shape: reference.shape))
        }
        let source = Source(arrays)
        sources[data.source] = source
        return source
    }
}

extension LaneBatch {
    /// The numbers of the rows of the lanes of a call, [width][laneRows]; places for which there are no rows hold 0.
    static func numbers(of lanes: [LaneBatch], width: Int, laneRows: Int) -> [Int32] {
        [Int32](unsafeUninitializedCapacity: width * laneRows) { numbers, count in
            numbers.initialize(repeating: 0)
            for (lane, batch) in lanes.enumerated() {
                let rows = batch.first..<batch.first + batch.count
                let place = lane * laneRows
                if let order = batch.order {
                    for (offset, row) in order[rows].enumerated() { numbers[place + offset] = row }
                } else {
                    for (offset, row) in rows.enumerated() { numbers[place + offset] = Int32(row) }
                }
            }
            count = width * laneRows
        }
    }
}
