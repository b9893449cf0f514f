import PJRT

/// What the calls of a pass logged, kept on the device until the pass is over.
///
/// A lane's metrics are those of the last call in which it took a step; asking for them waits for the device. Where
/// lanes halt, a call in which a lane's loss became NaN or infinite is its last.
struct LaneLogs: ~Copyable {
    private let names: [String]
    /// Whether a lane took steps, for every call.
    private var hasStepped: [[Bool]] = []
    private let lanes: Int
    /// The column of the loss that lanes halt by.
    private let haltingLog: Int?
    private var results: BufferList?

    /// - Parameter halt: whether the calls are of a function whose lanes halt.
    init(names: [String], lanes: Int, halt: Bool = false) {
        self.names = names
        self.lanes = lanes
        haltingLog = halt ? names.firstIndex(of: "loss") : nil
    }

    /// Keeps a call's logs, [K, L] float32, and which lanes took steps in it.
    mutating func add(_ result: consuming Buffer, for counts: [Int32]) {
        hasStepped.append(counts.map { $0 > 0 })
        if results == nil { results = BufferList(result.client) }
        results?.append(result)
    }

    /// A value a lane for every metric; NaN for a lane that took no step.
    consuming func values() throws -> [String: [Double]] {
        var columns = names.map { _ in [Double](repeating: .nan, count: lanes) }
        var hasHalted = [Bool](repeating: false, count: lanes)
        guard let results = results.take() else { return [:] }
        for call in 0..<results.count {
            let floats = try results.array(call, as: Float.self)
            for lane in 0..<lanes where hasStepped[call][lane] && !hasHalted[lane] {
                for metric in names.indices { columns[metric][lane] = Double(floats[lane * names.count + metric]) }
                if let haltingLog { hasHalted[lane] = !columns[haltingLog][lane].isFinite }
            }
        }
        return Dictionary(zip(names, columns)) { first, _ in first }
    }
}
