import Testing

@testable import Execution

@Suite("How rows to predict are divided into calls") struct InferencePlanningTests {
    @Test("Data of another length calls the same functions, and few steps of a call are empty")
    func steps() {
        #expect((0...7).allSatisfy { InferencePlanning.steps(upTo: $0) == 1 })
        for most in 8...3000 {
            let steps = InferencePlanning.steps(upTo: most)
            #expect(steps.nonzeroBitCount == 1)
            let taken = (most + steps - 1) / steps * steps
            #expect(Double(taken) <= 1.25 * Double(most), "\(most) steps take \(taken)")
        }
        #expect(Set((100...3000).map(InferencePlanning.steps)).count < 8)
    }
}
