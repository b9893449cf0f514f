/// Does pieces of work beside each other and takes what comes of them in their order.
///
/// - Parameters:
///   - atOnce: how many pieces are begun and not yet taken, at most; what comes of them is held for so many.
///   - body: does one piece.
///   - take: is called for one piece after another, by the caller's task.
/// - Throws: what the first piece to fail threw; the others are cancelled.
func inOrder<Work: Sendable, Result: Sendable>(
    _ work: [Work], atOnce: Int, _ body: @escaping @Sendable (Work) async throws -> Result,
    take: (Work, Result) throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: (Int, Result).self) { tasks in
        var begun = 0
        func begin() {
            guard begun < work.count else { return }
            tasks.addTask { [begun] in (begun, try await body(work[begun])) }
            begun += 1
        }
        for _ in 0..<max(1, atOnce) { begin() }
        var done: [Int: Result] = [:]
        var taken = 0
        for try await (index, result) in tasks {
            done[index] = result
            while let result = done.removeValue(forKey: taken) {
                try take(work[taken], result)
                taken += 1
                begin()
            }
        }
    }
}
