import Testing

@testable import Execution

@Suite struct InputReportTests {
    private func report(
        bytes: Int, isResident: Bool = false, waits: Double?, isShuffled: Bool = true
    ) -> InputReport {
        InputReport(
            files: [.init(path: "/data/x.npy", bytes: bytes, isCopy: true, isResident: isResident)], units: 1,
            trainSeconds: 10, waitSeconds: waits, isShuffled: isShuffled)
    }

    @Test("Training that hardly waits for rows needs no advice, and of what nobody knows none is given")
    func quick() {
        #expect(report(bytes: 1 << 40, waits: 0.5).advice(memory: 1 << 30).isEmpty)
        #expect(report(bytes: 1 << 40, waits: nil).advice(memory: 1 << 30).isEmpty)
        #expect(report(bytes: 1 << 40, waits: nil).waitShare == nil)
    }

    @Test("Data that memory does not hold are named, and an order that goes all over them")
    func large() {
        let shuffled = report(bytes: 4 << 30, waits: 5).advice(memory: 1 << 30)
        #expect(shuffled.count == 2)
        #expect(shuffled[0].contains("larger than the machine's memory") && shuffled[1].contains("{window: ROWS}"))
        #expect(report(bytes: 4 << 30, waits: 5, isShuffled: false).advice(memory: 1 << 30).count == 1)
    }

    @Test("Rows that are in memory, or on the device, are gathered slowly for other reasons")
    func small() {
        for isResident in [false, true] {
            let bytes = isResident ? 4 << 30 : 1 << 20
            let advice = report(bytes: bytes, isResident: isResident, waits: 5).advice(memory: 1 << 30)
            #expect(advice.count == 1 && advice[0].contains("fit.batch_size"))
        }
        #expect(report(bytes: 1, isResident: true, waits: 20).waitShare == 1)
    }

    @Test("Sizes are told apart: on disk, copied, kept on a device")
    func sizes() {
        var report = report(bytes: 100, waits: 0)
        report.files.append(.init(path: "/data/y.npy", bytes: 7, isCopy: false, isResident: true))
        #expect((report.mappedBytes, report.copiedBytes, report.residentBytes) == (107, 100, 7))
    }
}
