import FoundationEssentials
import Glibc
import PJRT
import Testing
import Units

@testable import Training

@Suite struct BestEpochsTests {
    @Test("A lane's best epoch is the one with the strictly lowest value; NaN never is the best")
    func less() {
        var best = BestEpochs(.init(monitor: "val_loss", lessIsBetter: true), lanes: 3)
        #expect(best.update(["val_loss": [2, .nan, 5]]) == [true, false, true])
        #expect(best.update(["val_loss": [2, 1, 4]]) == [false, true, true])
        #expect(best.update(["val_loss": [3, .nan, .infinity]]) == nil)
        #expect(best.update(["val_loss": [1, 1, -1]]) == [true, false, true])
    }

    @Test("For an accuracy more is better")
    func more() {
        var best = BestEpochs(.init(monitor: "accuracy", lessIsBetter: false), lanes: 2)
        #expect(best.update(["accuracy": [0.5, 0.1]]) == [true, true])
        #expect(best.update(["accuracy": [0.4, 0.2]]) == [false, true])
    }

    @Test("An epoch without the metric, as between validations, changes nothing")
    func absent() {
        var best = BestEpochs(.init(monitor: "val_loss", lessIsBetter: true), lanes: 1)
        #expect(best.update(["loss": [1]]) == nil)
        #expect(best.update(["loss": [1], "val_loss": [3]]) == [true])
        #expect(best.update(["loss": [0]]) == nil)
        #expect(best.update(["loss": [0], "val_loss": [4]]) == nil)
        var nothing = BestEpochs(nil, lanes: 1)
        #expect(nothing.update(["val_loss": [1]]) == nil)
    }

    @Test("What was the best is known exactly after an interruption, for the lanes that go on")
    func carriedOver() {
        let watched = Unit.Best(monitor: "val_loss", lessIsBetter: true)
        var first = BestEpochs(watched, lanes: 3)
        let third = 1.0 / 3
        _ = first.update(["val_loss": [third, .nan, -0.0]])
        var second = BestEpochs(watched, values: Array(BestEpochs.values(ofBits: first.bits).reversed()))
        #expect(second.update(["val_loss": [0, 7, third]]) == [false, true, false])
        #expect(second.update(["val_loss": [0, 7, third.nextDown]]) == [false, false, true])
    }
}

@Suite(.enabled(if: TestPlugin.isThere, "needs PRONGHORN_TEST_PLUGIN")) struct LaneLogsTests {
    /// A call's logs, two metrics a lane.
    func logs(_ values: [Float], _ client: Client) throws -> Buffer {
        try client.buffer(values, shape: [values.count / 2, 2])
    }

    @Test("A lane's metrics of an epoch are those of the last call in which it took a step")
    func lastStep() throws {
        let client = try TestPlugin.client
        var logs = LaneLogs(names: ["loss", "accuracy"], lanes: 3)
        logs.add(try self.logs([1, 2, 3, 4, 5, 6, 70, 80], client), for: [2, 2, 0])
        logs.add(try self.logs([10, 20, 30, 40, 50, 60, 70, 80], client), for: [0, 1, 0])
        let values = try logs.values()
        #expect(values["loss"]?.prefix(2) == [1, 30])
        #expect(values["accuracy"]?.prefix(2) == [2, 40])
        // The third took no step at all.
        #expect(values["loss"]?.count == 3)
        #expect(values["loss"]?.last?.isNaN ?? false)
    }

    @Test("A lane that halted keeps the loss that it halted by, whatever later calls of the epoch say")
    func halted() throws {
        let client = try TestPlugin.client
        func epoch(halt: Bool) throws -> [String: [Double]] {
            var logs = LaneLogs(names: ["accuracy", "loss"], lanes: 3, halt: halt)
            logs.add(try self.logs([1, .infinity, 3, 4, 5, 6], client), for: [2, 2, 2])
            logs.add(try self.logs([0, 0, 7, .nan, 8, 9], client), for: [2, 2, 2])
            logs.add(try self.logs([0, 0, 0, 0, 10, 11], client), for: [1, 1, 1])
            return try logs.values()
        }
        let values = try epoch(halt: true)
        #expect(values["accuracy"] == [1, 7, 10])
        #expect(values["loss"]?[0] == .infinity)
        #expect(values["loss"]?[1].isNaN == true)
        #expect(values["loss"]?[2] == 11)
        #expect(try epoch(halt: false)["loss"] == [0, 0, 11])
    }

    @Test("No call leaves no metrics")
    func nothing() throws {
        let logs = LaneLogs(names: ["loss"], lanes: 3)
        #expect(try logs.values().isEmpty)
    }

    @Test("A batch arrives on the device as its lanes, steps and rows")
    func upload() throws {
        let bench = try Bench()
        try bench.writeRows([5, 4, 3, 2, 1])
        let data = try bench.data(bench.unit([.init(start: 0, count: 4), .init(start: 1, count: 2)]))
        let lanes = (0..<2).map { lane in
            LaneBatch(order: data.training[lane].stored, first: 0, count: lane == 0 ? 4 : 2, data: data.sources[0])
        }
        let buffers = try data.upload(
            lanes, to: TestPlugin.client, width: 4, steps: 2, rows: 2, of: bench.description)
        #expect(buffers.types == [TensorType(.float32, [4, 2, 2, 3]), TensorType(.int32, [4, 2, 2])])
        let y: [Int32] = try buffers.array(1)
        #expect(y == [-5, -4, -3, -2, -4, -3] + [Int32](repeating: 0, count: 10))
    }
}

/// Whether a command line succeeded.
func shell(_ command: String) -> Bool { system(command) == 0 }
