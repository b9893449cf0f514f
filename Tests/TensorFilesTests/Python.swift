import Foundation
import SystemPackage
import Testing

/// The Python that tests compare with; `PRONGHORN_TEST_PYTHON` names it.
enum Python {
    static let path = ProcessInfo.processInfo.environment["PRONGHORN_TEST_PYTHON"]

    static func has(_ modules: String...) -> Bool {
        guard path != nil else { return false }
        let list = modules.map { "importlib.util.find_spec('\($0)')" }.joined(separator: ", ")
        return (try? run("import importlib.util\nprint(all([\(list)]))"))?.hasPrefix("True") == true
    }

    /// Runs a script; its standard error goes to the test's.
    static func run(_ script: String, _ arguments: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(path))
        process.arguments = ["-c", script] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["KERAS_BACKEND": "jax"]) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "Python failed")
        return text
    }

    static func run<Value: Decodable>(_ type: Value.Type, _ script: String, _ arguments: String...) throws -> Value {
        let text = try run(script, arguments[0])
        return try JSONDecoder().decode(type, from: Data(text.utf8))
    }
}

/// An array as NumPy describes it: `sha256` is of its elements in C order, little-endian.
struct Described: Codable, Equatable {
    var name: String
    var dtype: String
    var shape: [Int]
    var sha256: String
}
