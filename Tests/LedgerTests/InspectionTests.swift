import Foundation
import GRDB
import Testing

@testable import Ledger

/// Old ledgers open for ever, damaged ones are told from sound ones, and a run is given more.
@Suite struct InspectionTests {
    private let folder: TemporaryFolder
    private var file: String { folder.path + "/" + Ledger.fileName }

    init() throws { folder = try TemporaryFolder() }

    private func execute(_ sql: String) throws {
        let queue = try DatabaseQueue(path: file)
        try queue.writeWithoutTransaction { db in try db.execute(sql: sql) }
        try queue.close()
    }

    private func trial(_ index: Int, epochs: Int) -> TrialRecord {
        TrialRecord(
            trial: index, name: "000\(index)", seed: UInt64(index), parameters: ["seed": .integer(index)],
            partitionLabel: "all", rows: 100, plannedEpochs: epochs, engine: "native")
    }

    @Test("A ledger of the second version opens, is found sound, and takes more epochs and trials")
    func frozen() throws {
        try execute(frozenLedgerV2)
        let reader = try Ledger.openReadOnly(in: folder.path)
        try reader.inspect()
        #expect(try reader.results().map(\.stop) == [TrialStop(epoch: 1, by: "early_stopping"), nil, nil])
        #expect(try reader.results().map(\.engineReason) == [nil, nil, "run_eagerly"])
        try reader.close()

        let ledger = try Ledger.open(in: folder.path)
        try ledger.inspect()
        try ledger.extend(to: (0..<4).map { trial($0, epochs: 9) }, experiment: "name: longer")
        let results = try ledger.results()
        #expect(results.map(\.status) == [.finished, .waiting, .waiting, .waiting], "what a callback ended is ended")
        #expect(results.map(\.plan.plannedEpochs) == [9, 9, 9, 9])
        #expect(results[1].model == "models/0001.keras" && results[1].epochs == 5, "it keeps what it has")
        #expect(try ledger.run()?.experiment == "name: longer")
        try ledger.extend(to: (0..<4).map { trial($0, epochs: 9) }, experiment: nil)
        #expect(try ledger.results() == results, "said twice it changes nothing")
    }

    @Test(
        "Values of the wrong type, unknown statuses and broken texts are damage, and no crash",
        arguments: [
            "UPDATE trials SET epochs = 'two' WHERE trial = 1", "UPDATE trials SET status = 'finishee' WHERE trial = 0",
            "UPDATE trials SET metrics = '{\"loss\":0.5' WHERE trial = 0",
            "UPDATE epochs SET metrics = x'00' WHERE trial = 0",
            "UPDATE units SET trials = '[0,' WHERE unit = '0000'", "UPDATE run SET devices = '3'",
        ])
    func damaged(_ sql: String) throws {
        try execute(frozenLedgerV2)
        try execute(sql)
        let reader = try Ledger.openReadOnly(in: folder.path)
        let error = #expect(throws: LedgerError.self) { try reader.inspect() }
        #expect(error?.code == .corrupt)
    }

    @Test("A trial's record survives as a line of text")
    func line() throws {
        var record = trial(7, epochs: 3)
        record.parameters = ["rate": .number(1), "text": .text("a \"b\"\n"), "layers": .list([.integer(3), .null])]
        record.partition = 2
        #expect(try TrialRecord(line: record.line) == record)
        #expect(!record.line.contains("\n"))
        #expect(throws: LedgerError.self) { try TrialRecord(line: record.line.dropLast(3)) }
    }

    @Test("What is set aside is kept, with the files beside it, and never over what was set aside before")
    func setAside() throws {
        #expect(try Ledger.setAside(in: folder.path) == nil)
        for number in 1...2 {
            try Data("x\(number)".utf8).write(to: URL(filePath: file))
            try Data("y".utf8).write(to: URL(filePath: file + "-wal"))
            #expect(try Ledger.setAside(in: folder.path) == "ledger.sqlite.unreadable-\(number)")
        }
        #expect(
            try folder.names == [
                "ledger.sqlite.unreadable-1", "ledger.sqlite.unreadable-1-wal", "ledger.sqlite.unreadable-2",
                "ledger.sqlite.unreadable-2-wal",
            ])
        let first = try String(contentsOfFile: folder.path + "/ledger.sqlite.unreadable-1", encoding: .utf8)
        #expect(first == "x1")
    }

    @Test("Epochs that only the units' records hold are taken over; a contradiction is told")
    func comparison() throws {
        func ledger(epochs: Int, loss: Double) throws -> Ledger {
            let ledger = try Ledger.inMemory()
            try ledger.add(trials: [trial(0, epochs: 9)])
            for epoch in 0..<epochs {
                try ledger.record(epoch: epoch, trials: [0], seconds: 1, metrics: ["loss": [loss + Double(epoch)]])
            }
            return ledger
        }
        let (mine, other) = (try ledger(epochs: 2, loss: 1), try ledger(epochs: 4, loss: 1))
        #expect(try mine.disagreement(with: other) == nil)
        try mine.fill(from: other)
        #expect(try mine.results()[0].history["loss"] == [1, 2, 3, 4])
        // Epochs that were recorded, began anew, and were trained again when nobody recorded them.
        try mine.requeue(trials: [0], epochs: 1)
        #expect(try mine.results()[0].epochs == 1)
        try mine.fill(from: other)
        #expect(try mine.results()[0].history["loss"] == [1, 2, 3, 4])
        #expect(try mine.results()[0].epochs == 4)
        #expect(
            try mine.disagreement(with: try ledger(epochs: 1, loss: 7))
                == "the metrics of epoch 0 of trial 0 are others")
        try other.finish([TrialEnd(trial: 0, model: nil)], at: 1)
        #expect(try mine.disagreement(with: other) == "trial 0 is finished")
    }
}
