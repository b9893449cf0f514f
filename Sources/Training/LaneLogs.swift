import PJRT

/// What the calls of a pass logged, kept on the device until the pass is over.
///
/// A lane's metrics are those of the last call in which it took a step; asking for them waits for the device.
struct LaneLogs: ~Copyable {
    private let names: [String]
    private var lastCall: [Int?]
    private var results: BufferList?
    private var calls = 0

    init(names: [String], lanes: Int) {
        self.names = names
        lastCall = Array(repeating: nil, count: lanes)
    }

    /// Keeps a call's logs, [K, L] float32, and which lanes took steps in it.
    mutating func add(_ result: consuming Buffer, for counts: [Int32]) {
        for (lane, count) in counts.enumerated() where count > 0 { lastCall[lane] = calls }
        if results == nil { results = BufferList(result.client) }
        results?.append(result)
        calls += 1
    }

    /// A value a lane for every metric; NaN for a lane that took no step.
    consuming func values() throws -> [String: [Double]] {
        var columns = names.map { _ in [Double](repeating: .nan, count: lastCall.count) }
        guard let results = results.take() else { return [:] }
        for call in 0..<results.count {
            let floats = try results.array(call, as: Float.self)
            for (lane, last) in lastCall.enumerated() where last == call {
                for metric in names.indices { columns[metric][lane] = Double(floats[lane * names.count + metric]) }
            }
        }
        return Dictionary(zip(names, columns)) { first, _ in first }
    }
}
