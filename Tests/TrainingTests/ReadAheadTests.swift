import PJRT
import Synchronization
import Testing

@testable import Training

@Suite struct ReadAheadTests {
    @Test("Rows that lie near each other are read in one piece, and none is left out")
    func near() {
        let rows: [Int32] = [40, 3, 9, 41, 5, 5000, 4999]
        // Rows of 16 KiB: up to eight of them may lie between two that are wanted.
        let stretches = ReadAhead.stretches(of: rows[...], rowBytes: 16 << 10)
        #expect(stretches == [3..<10, 40..<42, 4999..<5001])
        #expect(ReadAhead.stretches(of: [][...], rowBytes: 4) == [])
    }

    @Test("Rows all over a large file are not announced one by one")
    func scattered() {
        let rows = (0..<Int32(1000)).map { $0 * 1_000_000 }
        #expect(ReadAhead.stretches(of: rows[...], rowBytes: 4096) == nil)
        #expect(ReadAhead.stretches(of: rows[..<256], rowBytes: 4096)?.count == 256)
    }
}

@Suite(.enabled(if: TestPlugin.isThere, "needs PRONGHORN_TEST_PLUGIN")) struct CallFeedTests {
    struct Broken: Error {}

    /// A feed of inputs that hold nothing, and the numbers of the calls that it has made.
    func feed(
        _ client: Client, count: Int, ahead: Bool, made: Numbers, fails: Int? = nil
    ) -> CallFeed {
        CallFeed(count: count, isAhead: { _ in ahead }) { number in
            made.add(number)
            if number == fails { throw Broken() }
            var inputs = BufferList(client)
            inputs.append(try client.buffer([Int32(number)], shape: []))
            return inputs
        }
    }

    final class Numbers: Sendable {
        private let numbers = Mutex<[Int]>([])
        var all: [Int] { numbers.withLock { $0 } }
        func add(_ number: Int) { numbers.withLock { $0.append(number) } }
    }

    @Test("Calls get their inputs in order, made once, whether ahead or not", arguments: [true, false])
    func inOrder(ahead: Bool) throws {
        let client = try TestPlugin.client
        let made = Numbers()
        let feed = feed(client, count: 5, ahead: ahead, made: made)
        for number in 0..<5 {
            let inputs = try feed.next()
            #expect(try inputs.array(0, as: Int32.self) == [Int32(number)])
        }
        #expect(made.all == [0, 1, 2, 3, 4])
    }

    @Test("What fails ahead is the error of its own call, and nothing is made beyond the next call")
    func failing() throws {
        let client = try TestPlugin.client
        let made = Numbers()
        let feed = feed(client, count: 9, ahead: true, made: made, fails: 1)
        _ = try feed.next()
        #expect(throws: Broken.self) { _ = try feed.next() }
        #expect(made.all == [0, 1])
    }
}
