import Foundation
import SystemPackage

/// A folder of one test with an experiment, its arrays and its runs; it goes when the test ends.
final class Workplace: Sendable {
    let root: FilePath

    init() {
        root = Tool.temporaryFolder("test")
    }

    deinit { try? FileManager.default.removeItem(atPath: root.string) }

    func path(_ name: String) -> FilePath { root.appending(name) }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path(name).string))
    }

    func write(_ name: String, _ data: Data) throws { try data.write(to: URL(filePath: path(name).string)) }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name).string) }

    /// The names in a folder, sorted.
    func list(_ name: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path(name).string).sorted()
    }

    func contents(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: path(name).string)) }

    /// Writes a NumPy file of float32 numbers that look drawn from [-1, 1) and are the same every time.
    func writeNumbers(_ name: String, shape: [Int], stream: UInt64 = 0) throws {
        var draws = Draws(state: stream &* 0x9E37_79B9 &+ 1)
        let values = (0..<shape.reduce(1, *)).map { _ in draws.next() }
        try writeNumbers(name, shape: shape, values)
    }

    /// Writes a NumPy file of these float32 numbers.
    func writeNumbers(_ name: String, shape: [Int], _ values: [Float]) throws {
        try write(name, descriptor: "<f4", shape: shape, values.withUnsafeBytes { Data($0) })
    }

    /// Writes a NumPy file of int32 class numbers, which repeat in a cycle that no batch size divides.
    func writeClasses(_ name: String, rows: Int, classes: Int) throws {
        let values = (0..<rows).map { Int32(($0 * 7 + $0 / classes) % classes) }
        try write(name, descriptor: "<i4", shape: [rows], values.withUnsafeBytes { Data($0) })
    }

    /// Writes a NumPy file of zeros that takes no place on the disk.
    ///
    /// - Parameter size: bytes an element.
    func writeZeros(_ name: String, descriptor: String, size: Int, shape: [Int]) throws {
        try write(name, descriptor: descriptor, shape: shape, Data())
        let file = try FileHandle(forUpdating: URL(filePath: path(name).string))
        try file.truncate(atOffset: file.seekToEnd() + UInt64(shape.reduce(size, *)))
        try file.close()
    }

    private func write(_ name: String, descriptor: String, shape: [Int], _ bytes: Data) throws {
        let extents = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
        var header = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(extents)), }"
        header += String(repeating: " ", count: 63 - (header.utf8.count + 10) % 64) + "\n"
        var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0])
        data.append(contentsOf: [UInt8(header.utf8.count & 0xFF), UInt8(header.utf8.count >> 8)])
        data.append(Data(header.utf8))
        data.append(bytes)
        try data.write(to: URL(filePath: path(name).string))
    }

    private struct Draws {
        var state: UInt64

        mutating func next() -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) / Float(1 << 23) - 1
        }
    }
}

extension Workplace {
    /// Rows for the regression of `models.py`, and an experiment of so many trials on them.
    ///
    /// - Parameter further: lines to put under the others.
    func regression(
        rows: Int = 64, seeds: Int, epochs: Int = 2, model: String = "regression", further: String = ""
    ) throws {
        try writeNumbers("x.npy", shape: [rows, 6], stream: 1)
        try writeNumbers("y.npy", shape: [rows, 1], stream: 2)
        try write(
            "experiment.yaml",
            """
            model: \(Tool.models):\(model)
            data: {x: x.npy, y: y.npy}
            trials: {seed: {range: \(seeds)}}
            fit: {epochs: \(epochs), batch_size: 16}
            \(further)
            """)
    }
}

/// One object of `pronghorn results --json`.
struct TrialObject: Codable, Sendable {
    var trial: Int
    var name: String
    var seed: Int
    var parameters: [String: Double]
    var partition: Int?
    var rows: Int
    var status: String
    var message: String?
    var metrics: [String: Double?]
    var bestEpoch: Int?
    var model: String?
    var history: [String: [Double?]]
    var device: String?
    var attempts: Int
    var engine: String
    var engineReason: String?
    var stoppedEpoch: Int?
    var stoppedBy: String?

    enum CodingKeys: String, CodingKey {
        case trial, name, seed, parameters, partition, rows, status, message, metrics, model, history, device, attempts,
            engine
        case bestEpoch = "best_epoch"
        case engineReason = "engine_reason"
        case stoppedEpoch = "stopped_epoch"
        case stoppedBy = "stopped_by"
    }
}

/// The object that `pronghorn train --json` ends with.
struct SummaryObject: Decodable, Sendable {
    var trials: Int
    var finished: Int
    var diverged: Int
    var failed: Int
    var wallSeconds: Double
    var trainSeconds: Double
    var output: String

    enum CodingKeys: String, CodingKey {
        case trials, finished, diverged, failed, output
        case wallSeconds = "wall_seconds"
        case trainSeconds = "train_seconds"
    }
}
