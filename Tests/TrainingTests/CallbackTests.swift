import Foundation
import Testing
import Units

@testable import Training

// Foundation has units of measurement.
private typealias Unit = Units.Unit

/// What Keras's own classes decide over a sequence of metrics, as `Support/keras_callbacks.py` prints it.
private struct KerasCase: Decodable {
    var name: String
    var callback: Unit.Callback
    var values: [Double?]
    var rate: Double
    var stopped: Int?
    var best: Int?
    var restored: Int?
    var rates: [Double]
    var saved: [Int]

    enum CodingKeys: CodingKey { case name, arguments, values, rate, stopped, best, restored, rates, saved }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        switch name {
        case "EarlyStopping":
            callback = .earlyStopping(try container.decode(Unit.EarlyStopping.self, forKey: .arguments))
        case "ReduceLROnPlateau":
            callback = .reduceLROnPlateau(try container.decode(Unit.ReduceLROnPlateau.self, forKey: .arguments))
        default:
            let arguments = try container.decode([String: JSON].self, forKey: .arguments)
            callback = .modelCheckpoint(
                Unit.ModelCheckpoint(
                    monitor: "val_loss", saveBestOnly: arguments["save_best_only"]?.flag ?? false,
                    mode: arguments["mode"]?.text == "max" ? .max : .min,
                    initialValueThreshold: arguments["initial_value_threshold"]?.number))
        }
        values = try container.decode([Double?].self, forKey: .values)
        rate = try container.decode(Double.self, forKey: .rate)
        stopped = try container.decodeIfPresent(Int.self, forKey: .stopped)
        best = try container.decodeIfPresent(Int.self, forKey: .best)
        restored = try container.decodeIfPresent(Int.self, forKey: .restored)
        rates = try container.decode([Double].self, forKey: .rates)
        saved = try container.decode([Int].self, forKey: .saved)
    }

    /// A value of the arguments.
    private struct JSON: Decodable {
        var flag: Bool?
        var number: Double?
        var text: String?

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            flag = try? container.decode(Bool.self)
            number = try? container.decode(Double.self)
            text = try? container.decode(String.self)
        }
    }

    static func drawn(seed: Int, count: Int) throws -> [KerasCase] {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Support/keras_callbacks.py")
        let process = Process()
        process.executableURL = URL(filePath: try #require(CallbackTests.python))
        process.arguments = [script.path, String(seed), String(count)]
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "Python failed")
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return try decoder.decode([KerasCase].self, from: text)
    }
}

@Suite struct CallbackTests {
    static let python = ProcessInfo.processInfo.environment["PRONGHORN_TEST_PYTHON"]

    /// A state machine after a trip through a checkpoint's text.
    private func stored<Machine: Codable>(_ machine: Machine) throws -> Machine {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return try decoder.decode(Machine.self, from: encoder.encode(machine))
    }

    @Test(
        "Every decision over random metrics and settings is that of Keras's own class, also across checkpoints",
        .enabled(if: python != nil, "needs PRONGHORN_TEST_PYTHON"), arguments: [1, 2])
    func asKeras(seed: Int) throws {
        let cases = try KerasCase.drawn(seed: seed, count: 900)
        #expect(cases.count == 900)
        for (number, found) in cases.enumerated() {
            let label = Comment(rawValue: "case \(number) of seed \(seed): \(found)")
            switch found.callback {
            case .earlyStopping(let settings):
                var machine = EarlyStopping(settings)
                var stopped: Int?
                var restored: Int?
                for (epoch, value) in found.values.enumerated() where stopped == nil {
                    let verdict = machine.epochEnded(epoch, value)
                    if verdict.keepsWeights { restored = epoch }
                    if verdict.stops { stopped = epoch }
                    machine = try stored(machine)
                }
                #expect(stopped == found.stopped, label)
                #expect(machine.bestEpoch == found.best, label)
                #expect(restored == found.restored && machine.hasWeights == (restored != nil), label)
            case .reduceLROnPlateau(let settings):
                var machine = ReduceLROnPlateau(settings)
                var rates = [Float(found.rate)]
                for value in found.values {
                    let rate = rates[rates.count - 1]
                    rates.append(machine.epochEnded(value, rate: rate) ?? rate)
                    machine = try stored(machine)
                }
                #expect(rates.map { Double($0) } == found.rates, label)
            case .modelCheckpoint(let settings):
                var machine = ModelCheckpoint(settings)
                var saved: [Int] = []
                for (epoch, value) in found.values.enumerated() {
                    if machine.epochEnded(value) { saved.append(epoch) }
                    machine = try stored(machine)
                }
                #expect(saved == found.saved && machine.hasSaved == !saved.isEmpty, label)
            default: Issue.record(label)
            }
        }
        // What is compared must have happened: cases that stop and that do not, restore, reduce and save.
        #expect(Set(cases.map { $0.stopped != nil }).count == 2)
        #expect(cases.contains { $0.restored != nil } && cases.contains { Set($0.rates).count > 3 })
        #expect(Set(cases.filter { $0.name == "ModelCheckpoint" }.map(\.saved.count)).count > 5)
    }

    @Test("Single precision decides: what is better in double precision alone is no improvement")
    func singlePrecision() {
        let improves = Improvement(.min)
        #expect(!improves(0.1, over: 0.1 + 1e-10))
        #expect(improves(0.1, over: Double(Float(0.1).nextUp)))
        #expect(improves(.nan, over: nil) && !improves(0, over: .nan) && !improves(.nan, over: 0))
    }

    @Test(
        "A loss that is NaN or infinite ends training, and nothing else does",
        arguments: [Double.nan, .infinity, -.infinity])
    func terminates(loss: Double) {
        #expect(TerminateOnNaN.stops(loss: loss))
        #expect(!TerminateOnNaN.stops(loss: .greatestFiniteMagnitude))
        #expect(!TerminateOnNaN.stops(loss: nil))
    }
}
