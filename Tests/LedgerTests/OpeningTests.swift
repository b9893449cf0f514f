import FoundationEssentials
import GRDB
import Testing

@testable import Ledger

@Suite struct OpeningTests {
    let folder: TemporaryFolder
    var file: String { folder.path + "/" + Ledger.fileName }

    init() throws { folder = try TemporaryFolder() }

    private func code(_ body: () throws -> Void) -> LedgerError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? LedgerError)?.code
        }
    }

    private func execute(_ sql: String) throws {
        let queue = try DatabaseQueue(path: file)
        try queue.writeWithoutTransaction { db in try db.execute(sql: sql) }
        try queue.close()
    }

    @Test("A ledger file of the first version still opens, reads and takes further epochs")
    func frozenFile() throws {
        try execute(frozenLedgerV1)
        let reader = try Ledger.openReadOnly(in: folder.path)
        let result = try #require(try reader.results().first)
        #expect(result.plan.seed == UInt64.max)
        #expect(result.parameters.entries.map(\.name) == ["learning_rate", "units"])
        #expect(result.parameters["units"] == .integer(64))
        #expect(result.plan.partitionLabel == "fold 2")
        #expect(result.history["loss"] == [0.5, 0.25])
        #expect(result.history["val_loss"]?.first == .infinity)
        #expect(result.history["val_loss"]?.last?.isNaN == true)
        try reader.close()

        let ledger = try Ledger.open(in: folder.path)
        try ledger.record(epoch: 2, trials: [0], seconds: 0.5, metrics: ["loss": [0.125], "val_loss": [0.2]])
        #expect(try ledger.results().first?.history["loss"] == [0.5, 0.25, 0.125])
        #expect(
            try ledger.units() == [
                UnitRecord(
                    id: "u1", device: "cpu:0", trials: [0], lanes: 1, form: "vectorized", steps: 4, started: 1001,
                    status: .finished, ended: 1003)
            ])
        #expect(try ledger.attempts(of: "u1").map(\.runner) == [77])
        #expect(try ledger.progress(at: 2000).devices.map(\.busySeconds) == [2])
    }

    @Test("The ledger of a run of the first version is read as it is, and is left as it is")
    func frozenReadOnly() throws {
        try execute(frozenLedgerV1)
        let ledger = try Ledger.openReadOnly(in: folder.path)
        #expect(try ledger.results().map(\.stop) == [nil])
        #expect(try ledger.progress(at: 2000).stoppedEarly == 0)
        #expect(try ledger.epochs(of: 0).map(\.metrics["loss"]) == [0.5, 0.25])
        let queue = try DatabaseQueue(path: file)
        #expect(try queue.read { db in try String.fetchAll(db, sql: "SELECT * FROM grdb_migrations") } == ["v1"])
    }

    @Test("The first migration makes the tables that shipped, letter for letter")
    func frozenSchema() throws {
        func tables(_ database: DatabaseQueue) throws -> [String] {
            try database.read { db in
                try String.fetchAll(
                    db,
                    sql: """
                        SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'grdb_migrations' ORDER BY name
                        """)
            }
        }
        let shipped = try DatabaseQueue()
        try shipped.write { db in try db.execute(sql: frozenSchemaV1) }
        let made = try DatabaseQueue()
        try Schema.migrator.migrate(made, upTo: "v1")
        #expect(try tables(made) == tables(shipped))
        #expect(try tables(made).count == 11)
    }

    @Test("Asking for the results of a folder without a run says so and leaves no file there")
    func absent() throws {
        #expect(code { _ = try Ledger.openReadOnly(in: folder.path) } == .absent)
        #expect(code { _ = try Ledger.open(in: folder.path) } == .absent)
        #expect(try folder.names == [])
    }

    @Test("A second run in the same folder is refused, not mixed with the first")
    func exists() throws {
        let ledger = try Ledger.create(in: folder.path)
        try ledger.begin(.digits)
        #expect(code { _ = try Ledger.create(in: folder.path) } == .exists)
        #expect(code { try ledger.begin(.digits) } == .exists)
    }

    @Test("A file that is no database is reported as damaged, and left as it is")
    func corrupt() throws {
        let text = String(repeating: "this is no ledger ", count: 500)
        try text.write(toFile: file, atomically: false, encoding: .utf8)
        #expect(code { _ = try Ledger.openReadOnly(in: folder.path) } == .corrupt)
        #expect(code { _ = try Ledger.open(in: folder.path) } == .corrupt)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
    }

    @Test("A ledger whose pages were overwritten is reported as damaged when they are read")
    func torn() throws {
        let ledger = try Ledger.create(in: folder.path)
        try ledger.begin(.digits)
        try ledger.add(trials: (0..<2000).map { .sample($0) })
        try ledger.close()
        #expect(try folder.names == [Ledger.fileName])
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
        try #require(bytes.count > 4096 * 32)
        for index in 4096 * 16..<bytes.count { bytes[index] = 0xAA }
        try Data(bytes).write(to: URL(filePath: file))
        let reader = try Ledger.openReadOnly(in: folder.path)
        #expect(code { _ = try reader.results() } == .corrupt)
    }

    @Test("A ledger of a later version is refused, not misread")
    func newer() throws {
        try execute(frozenLedgerV1 + "INSERT INTO grdb_migrations VALUES ('v99');")
        #expect(code { _ = try Ledger.open(in: folder.path) } == .newer)
        #expect(code { _ = try Ledger.openReadOnly(in: folder.path) } == .newer)
    }

    @Test("Status can be asked from another process while the run writes")
    func concurrentReading() throws {
        let ledger = try Ledger.create(in: folder.path)
        try ledger.begin(.digits)
        try ledger.add(trials: [.sample(0), .sample(1)])
        let reader = try Ledger.openReadOnly(in: folder.path)
        let other = try Ledger.openReadOnly(in: folder.path)
        var seen = 0
        try reader.forEachResult { _ in
            if seen == 0 {
                // In the middle of one reader's pass the writer goes on, a second reader sees it, the first doesn't.
                try ledger.record(epoch: 0, trials: [0, 1], seconds: 1, metrics: ["loss": [1, 2]])
                #expect(try other.results().map(\.epochs) == [1, 1])
            } else {
                #expect(try ledger.progress(at: 2000).epochsDone == 2)
            }
            seen += 1
        }
        #expect(seen == 2)
        #expect(try reader.results().map(\.epochs) == [1, 1])
    }

    @Test("A ledger opened for reading refuses writes with a clear error")
    func readOnly() throws {
        try Ledger.create(in: folder.path).begin(.digits)
        let reader = try Ledger.openReadOnly(in: folder.path)
        #expect(code { try reader.add(trials: [.sample(0)]) } == .readOnly)
    }

    @Test("A run moved to a network disk goes on without WAL and keeps what it had")
    func withoutSharedMemory() throws {
        let before = try Ledger.create(in: folder.path)
        try before.begin(.digits)
        try before.add(trials: [.sample(0)])
        try before.close()
        let ledger = try Ledger(path: file, sharesMemory: false)
        try ledger.record(epoch: 0, trials: [0], seconds: 1, metrics: ["loss": [0.5]])
        #expect(try folder.names == [Ledger.fileName])
        #expect(try Ledger.openReadOnly(in: folder.path).results().map(\.metrics) == [["loss": 0.5]])
        try ledger.record(epoch: 1, trials: [0], seconds: 1, metrics: ["loss": [0.25]])
        #expect(try Ledger.openReadOnly(in: folder.path).results().map(\.metrics) == [["loss": 0.25]])
    }

    @Test("A trial's end waits for the disk; an epoch's metrics do so only where a lost commit could tear the file")
    func synchronous() throws {
        func level(_ ledger: Ledger, durable: Bool) throws -> Int? {
            var level: Int?
            try ledger.write("Testing", durable: durable) { db in
                level = try Int.fetchOne(db, sql: "PRAGMA synchronous")
            }
            return level
        }
        let ledger = try Ledger.create(in: folder.path)
        #expect(try level(ledger, durable: true) == 2)
        #expect(try level(ledger, durable: false) == 1)
        #expect(try level(ledger, durable: true) == 2)
        try ledger.close()
        let other = try Ledger(path: file, sharesMemory: false)
        #expect(try level(other, durable: false) == 2)
    }

    @Test("A folder's name with signs that mean something in a URI doesn't hide its ledger")
    func immutableURI() throws {
        let odd = folder.path + "/50%20 #1?"
        try FileManager.default.createDirectory(atPath: odd, withIntermediateDirectories: true)
        let ledger = try Ledger.create(in: odd)
        try ledger.begin(.digits)
        try ledger.close()
        var configuration = Configuration()
        configuration.readonly = true
        let uri = Ledger.immutableURI(odd + "/" + Ledger.fileName)
        let queue = try DatabaseQueue(path: uri, configuration: configuration)
        #expect(try queue.read { try String.fetchOne($0, sql: "SELECT name FROM run") } == "digits")
    }

    @Test("Network disks are recognized from the table of mounts, the innermost counts")
    func mounts() {
        let table = #"""
            22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
            40 22 0:35 / /home rw,relatime shared:5 - nfs4 server:/home rw,vers=4.2
            41 40 254:2 / /home/local\040disk rw - xfs /dev/vdb rw
            42 22 0:36 / /mnt/ssh rw - fuse.sshfs me@there: rw
            """#
        func isNetwork(_ path: String) -> Bool? {
            SharedMemory.fileSystem(of: path, mounts: table).map(SharedMemory.isNetwork)
        }
        #expect(isNetwork("/srv/run") == false)
        #expect(isNetwork("/home/me/run") == true)
        #expect(isNetwork("/homeless/run") == false)
        #expect(isNetwork("/home/local disk/run") == false)
        #expect(isNetwork("/mnt/ssh") == true)
    }
}
