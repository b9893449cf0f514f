import Files
import Glibc
import Units

/// What the system is told of the rows that will be read, so that they come from the disk in large pieces and in time, and no others.
///
/// It changes when pages are read, never what is in them.
enum ReadAhead {
    /// Arrays of fewer bytes are in memory after their first epoch, and need no advice.
    static let leastBytes = 64 << 20
    /// Bytes between two rows up to which one piece is read for both.
    static let gap = 128 << 10
    /// More pieces than these are rows all over the file: to announce each would take longer than it saves.
    static let mostPieces = 256

    /// The stretches of row numbers that hold all of some rows with few others between them; nil where they are too many.
    static func stretches(of rows: ArraySlice<Int32>, rowBytes: Int) -> [Range<Int>]? {
        let gap = max(1, gap / max(1, rowBytes))
        var stretches: [Range<Int>] = []
        for row in rows.sorted() {
            let row = Int(row)
            if let last = stretches.last, row <= last.upperBound + gap {
                stretches[stretches.count - 1] = last.lowerBound..<max(last.upperBound, row + 1)
            } else {
                if stretches.count == mostPieces { return nil }
                stretches.append(row..<row + 1)
            }
        }
        return stretches
    }
}

extension DataArrays.Column {
    /// Has the system begin to read rows that will be used soon.
    fileprivate func announce(_ rows: Range<Int>) {
        advise(rows.lowerBound * rowBytes, rows.count * rowBytes, MADV_WILLNEED)
    }

    /// Has the system read what is asked for and nothing around it: for rows in an order that goes all over a file which memory
    /// does not hold.
    fileprivate func expectRandomReads() { advise(0, file.size - offset, MADV_RANDOM) }

    private func advise(_ first: Int, _ count: Int, _ advice: Int32) {
        guard count > 0 else { return }
        let page = Int(getpagesize())
        let start = UInt(bitPattern: base + first) / UInt(page) * UInt(page)
        let end = UInt(bitPattern: base + first) + UInt(count)
        // Advice that is not taken costs time and nothing else.
        _ = madvise(UnsafeMutableRawPointer(bitPattern: start), Int(end - start), advice)
    }
}

extension UnitData {
    /// Tells the system which rows a call is about to read.
    func announce(_ parts: [LaneBatch]) {
        for part in parts where part.count > 0 {
            for column in part.data.columns where column.file.size >= ReadAhead.leastBytes {
                let places = part.first..<part.first + part.count
                let stretches = part.order.map { ReadAhead.stretches(of: $0[places], rowBytes: column.rowBytes) ?? [] }
                for rows in stretches ?? [places] { column.announce(rows) }
            }
        }
    }
}

extension UnitData {
    /// Tells the system that rows will be read in an order that goes all over files which memory does not hold.
    func announceOrder(_ shuffle: Unit.Shuffle) {
        let memory = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        guard shuffle == .rows, memory > 0 else { return }
        for column in sources.flatMap(\.columns) where column.file.size > memory { column.expectRandomReads() }
    }
}
