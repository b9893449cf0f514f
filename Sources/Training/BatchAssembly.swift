/// Memory for one input of one call, aligned so that a plugin on the CPU reads it in place.
final class HostBatches: @unchecked Sendable {
    // Safe: it is written by one thread before a plugin sees it, and only read from then on.
    let bytes: UnsafeMutableRawBufferPointer
    private let hasPages: Bool

    init(byteCount: Int) {
        if byteCount >= HostPages.leastBytes, let pages = HostPages.take(byteCount) {
            bytes = pages
            hasPages = true
        } else {
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(byteCount, 1), alignment: 64)
            bytes = UnsafeMutableRawBufferPointer(rebasing: memory[..<byteCount])
            hasPages = false
        }
    }

    deinit { if hasPages { HostPages.give(bytes) } else { bytes.deallocate() } }

    var readOnly: UnsafeRawBufferPointer { UnsafeRawBufferPointer(bytes) }
}

/// What one lane puts into a call: rows `first..<first + count` of its order.
struct LaneBatch {
    /// The lane's rows of this epoch; nil stands for all rows of the source in order.
    var order: [Int32]?
    var first: Int
    var count: Int
    var data: DataArrays
}

/// Gathers rows into the layout of a call, [K, S, R, …] for every input.
enum BatchAssembly {
    /// One buffer for every input; places for which there are no rows hold zeros.
    ///
    /// - Parameters:
    ///   - lanes: one entry a lane in use; spare lanes follow and stay zero.
    ///   - laneRows: places for rows in a lane, S × R.
    static func gather(_ lanes: [LaneBatch], width: Int, laneRows: Int, rowBytes: [Int]) -> [HostBatches] {
        rowBytes.enumerated().map { input, rowBytes in
            let laneBytes = laneRows * rowBytes
            let batches = HostBatches(byteCount: width * laneBytes)
            guard let base = batches.bytes.baseAddress else { return batches }
            for (lane, batch) in lanes.enumerated() {
                let target = base + lane * laneBytes
                fill(target, from: batch.data.columns[input], batch)
                let used = batch.count * rowBytes
                if used < laneBytes {
                    (target + used).initializeMemory(as: UInt8.self, repeating: 0, count: laneBytes - used)
                }
            }
            let spare = (width - lanes.count) * laneBytes
            if spare > 0 {
                (base + lanes.count * laneBytes).initializeMemory(as: UInt8.self, repeating: 0, count: spare)
            }
            return batches
        }
    }

    private static func fill(_ target: UnsafeMutableRawPointer, from column: DataArrays.Column, _ batch: LaneBatch) {
        let rowBytes = column.rowBytes
        guard batch.count > 0, rowBytes > 0 else { return }
        guard let order = batch.order else {
            target.copyMemory(from: column.base + batch.first * rowBytes, byteCount: batch.count * rowBytes)
            return
        }
        order.withUnsafeBufferPointer { order in
            let rows = order[batch.first..<batch.first + batch.count]
            // A target's label is mostly four bytes: a load and a store beat a call of memcpy.
            if rowBytes == 4 {
                var place = target
                for row in rows {
                    place.storeBytes(
                        of: (column.base + Int(row) * 4).loadUnaligned(as: UInt32.self), as: UInt32.self)
                    place += 4
                }
            } else {
                var place = target
                for row in rows {
                    place.copyMemory(from: column.base + Int(row) * rowBytes, byteCount: rowBytes)
                    place += rowBytes
                }
            }
        }
    }
}
