import Foundation
import Testing

@testable import Planning

@Suite struct PaddingTests {
    let cpu = DeviceFleet(count: 2, memory: 8 << 30, kind: .cpu)

    /// Trials of 40 to 40,000 rows, of which no two have the same number.
    func unequal(_ rows: (Double) -> Double, _ count: Int = 300) -> Workload {
        var draws = Draws(state: 5)
        var workload = alike(count)
        for index in workload.trials.indices {
            let rows = rows(Double.random(in: 0..<1, using: &draws))
            workload.trials[index].trainingRows = Int(min(40_000, max(40, rows)))
        }
        return workload
    }

    @Test("Groups of 40 to 40,000 rows lose less than a tenth of the steps to padding, whatever their distribution")
    func unequalGroups() {
        let distributions: [(String, (Double) -> Double)] = [
            ("as many of each magnitude", { 40 * pow(1000, $0) }),
            ("as many of each size", { 40 + 39_960 * $0 }),
            ("few that are large", { 40 * pow(1 - $0, -2) }),
        ]
        for (name, rows) in distributions {
            for devices in [1, 2] {
                let fleet = DeviceFleet(count: devices, memory: 8 << 30, kind: .cpu)
                let cohorts = Packing.cohorts(of: unequal(rows), on: fleet)
                let padding = cohorts.map(\.padding).reduce(Padding(), +)
                #expect(padding.share < 0.1, "\(name), \(devices) devices: \(padding.share)")
                // Side by side, and not one by one, which would have no padding either.
                #expect(cohorts.count <= 300 / 3, "\(name): \(cohorts.map(\.lanes))")
                #expect(Set(cohorts.map(\.lanes)).count <= 2)
            }
        }
    }

    @Test("Last batches of many sizes are gone through lane by lane on a CPU, and of one or two all at once")
    func tailForms() {
        // All of a size alike, so that no function is needed in both forms.
        #expect(Packing.cohorts(of: unequal { 40 + 39_960 * $0 }, on: cpu).allSatisfy { $0.tailForm == .looped })
        #expect(Packing.cohorts(of: alike(64), on: cpu).allSatisfy { $0.tailForm == .vectorized })
        let gpu = DeviceFleet(count: 1, memory: 80 << 30, kind: .gpu)
        #expect(Packing.cohorts(of: unequal { 40 + 39_960 * $0 }, on: gpu).allSatisfy { $0.tailForm == .vectorized })
        #expect(Packing.tailForm(sizes: 2, members: 1, lanes: 64, .vectorized, .cpu) == .vectorized)
        #expect(Packing.tailForm(sizes: 30, members: 60, lanes: 64, .vectorized, .cpu) == .looped)
        #expect(Packing.tailForm(sizes: 30, members: 60, lanes: 64, .looped, .gpu) == .looped)
    }

    @Test("Masked, last batches of all sizes are one call of all lanes, but for those of a single row")
    func masked() throws {
        for kind in [DeviceFleet.Kind.cpu, .gpu] {
            let fleet = DeviceFleet(count: 2, memory: 8 << 30, kind: kind)
            for form in [Workload.Form.vectorized, .looped] {
                var workload = unequal { 40 * pow(1000, $0) }
                workload.program = .init(form: form, stateBytes: 4000, rowBytes: 44, masksRows: true)
                let cohorts = Packing.cohorts(of: workload, on: fleet)
                // Even where every trial is a cohort, they need one function together.
                #expect(cohorts.allSatisfy { $0.tailForm == .masked })
                let padding = cohorts.map(\.padding).reduce(Padding(), +)
                #expect(kind == .gpu || padding.share < 0.1)
                workload.trials = workload.trials.map { .init(index: $0.index, trainingRows: 65, validationRows: 0) }
                #expect(Packing.cohorts(of: workload, on: fleet).allSatisfy { $0.tailForm == form })
            }
        }
        var workload = alike(4, rows: 320)
        for (index, rows) in [320, 321, 322, 350].enumerated() { workload.trials[index].trainingRows = rows }
        // Ten steps of four lanes, one for the trial of a single row that is left, and one for the other two.
        #expect(
            Packing.padding(of: workload.trials[...], lanes: 4, tails: .masked, workload)
                == Padding(computed: 48, idle: 48 - 43))
        #expect([0, 1, 2, 31].map(Workload.Form.masked.call(ofTail:)) == [0, 1, 2, 2])
    }

    @Test("The functions that last batches need are fewer than a batch has rows, however many trials there are")
    func boundOnTails() {
        let cohorts = Packing.cohorts(of: unequal({ 40 * pow(1000, $0) }, 5000), on: cpu)
        #expect(Set(cohorts.map(\.lanes)).count <= 2)
        #expect(Set(cohorts.flatMap(\.tails)).count <= 31)
    }

    @Test("Padding counts what lanes wait and what spare lanes compute, and nothing of a loop")
    func counted() throws {
        var workload = alike(3, rows: 320)
        workload.trials[1].trainingRows = 160
        workload.trials[2].trainingRows = 170
        let vectorized = Packing.padding(of: workload.trials[...], lanes: 4, tails: .vectorized, workload)
        // Ten steps of four lanes and one for the last batch, of which the trials take 10, 5 and 5 + 1.
        #expect(vectorized == Padding(computed: 44, idle: 44 - 21))
        let looped = Packing.padding(of: workload.trials[...], lanes: 4, tails: .looped, workload)
        #expect(looped == Padding(computed: 41, idle: 41 - 21))
        workload.program.form = .looped
        #expect(
            Packing.padding(of: workload.trials[...], lanes: 4, tails: .vectorized, workload) == Padding(computed: 21))
        #expect(Padding().share == 0)
    }

    @Test("Trials of one length are packed as widely as ever")
    func alikeStayWide() {
        let cohorts = Packing.cohorts(of: alike(256), on: cpu)
        #expect(cohorts.map(\.lanes) == [128, 128])
        #expect(cohorts.allSatisfy { $0.padding.idle == 0 })
    }

    @Test("A lane without a trial waits for nobody: three alike with a last batch stay in one cohort")
    func spareLanes() {
        let one = DeviceFleet(count: 1, memory: 8 << 30, kind: .cpu)
        #expect(Packing.cohorts(of: alike(3, rows: 30, batchSize: 16), on: one).map(\.trials.count) == [3])
    }

    @Test("Where short trials stand beside long ones, a call takes fewer steps than the longest has")
    func shortCalls() throws {
        var workload = alike(16, rows: 40_000)
        #expect(try #require(Packing.cohorts(of: workload, on: cpu).first).steps == 1250)
        for index in 0..<8 { workload.trials[index].trainingRows = 64 }
        let steps = try #require(Packing.cohorts(of: workload, on: cpu).first).steps
        #expect(steps <= 64 && steps > 32)
    }

    @Test("Last batches of trials of different batch sizes do not add up: they never share a call")
    func tailSizes() {
        var sizes = TailSizes()
        // 100 rows leave 4 of 16, of 32 and of 48, 36 of 64; so do others that leave as many again, or none.
        for batchSize in [16, 32, 48, 64, 100] { sizes.add(rows: 100, batchSize: batchSize) }
        for rows in [0, 116, 160, 101, 117] { sizes.add(rows: rows, batchSize: 16) }
        #expect(!sizes.areMany)
        sizes.add(rows: 102, batchSize: 16)
        #expect(sizes.areMany)
    }
}
