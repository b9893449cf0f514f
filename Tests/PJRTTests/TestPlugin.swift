import Glibc
import PJRT
import SystemPackage

/// The plugin under test and one client of it, shared by all tests of the process.
enum TestPlugin {
    static let path = getenv("PRONGHORN_TEST_PLUGIN").map { FilePath(String(cString: $0)) }
    static let isThere = path != nil

    /// The published header that the plugin's wheel carries.
    static let header = path.map { $0.removingLastComponent().appending("include/pjrt_c_api.h") }
    static let hasHeader = header.map { access($0.string, R_OK) == 0 } ?? false

    /// Digests are remembered here, apart from the user's own.
    static let stamps = temporaryFolder()

    private static let shared = Result { try newClient() }
    static var client: Client { get throws { try shared.get() } }

    static func newClient() throws -> Client {
        guard let path else { throw Missing() }
        return try Client(Plugin.load(path, stamps: stamps), options: ["cpu_device_count": .int64(1)])
    }

    struct Missing: Error {}
}

/// A new folder that the system clears away.
func temporaryFolder() -> FilePath {
    var template = Array("/tmp/pronghorn-pjrt-XXXXXX".utf8CString)
    _ = mkdtemp(&template)
    return FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
}

/// Runs a command line and returns what it printed; nil if it failed.
func shell(_ command: String) -> String? {
    guard let pipe = popen(command, "r") else { return nil }
    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = fread(&chunk, 1, chunk.count, pipe)
        if count == 0 { break }
        output += chunk[..<count]
    }
    return pclose(pipe) == 0 ? String(decoding: output, as: UTF8.self) : nil
}

/// Writes a file.
func write(_ bytes: [UInt8], to path: FilePath) throws {
    let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
    _ = try file.closeAfter { try file.writeAll(bytes) }
}

/// Reads a file.
func read(_ path: FilePath) throws -> [UInt8] {
    let file = try FileDescriptor.open(path, .readOnly)
    return try file.closeAfter {
        let size = Int(try file.seek(offset: 0, from: .end))
        return try [UInt8](unsafeUninitializedCapacity: size) { memory, count in
            count = try file.read(fromAbsoluteOffset: 0, into: UnsafeMutableRawBufferPointer(memory))
        }
    }
}

/// Memory of the process that is in use, in bytes.
func residentBytes() throws -> Int {
    let text = shell("cat /proc/\(getpid())/statm") ?? ""
    return (Int(text.split(separator: " ")[1]) ?? 0) * 4_096
}

/// Programs as StableHLO text.
enum Programs {
    static let vector = TensorType(.float32, [4])

    /// x + y.
    static let add = """
        func.func public @main(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
          %sum = stablehlo.add %x, %y : tensor<4xf32>
          return %sum : tensor<4xf32>
        }
        """

    /// x + y, written over x.
    static let addInPlace = """
        func.func public @main(%x: tensor<4xf32> {tf.aliasing_output = 0 : i32}, %y: tensor<4xf32>) -> tensor<4xf32> {
          %sum = stablehlo.add %x, %y : tensor<4xf32>
          return %sum : tensor<4xf32>
        }
        """

    static let addSignature = Signature(arguments: [vector, vector], results: [vector])

    /// A program that returns its argument.
    static func identity(_ type: TensorType) -> String {
        "func.func public @main(%x: \(type.mlirName)) -> \(type.mlirName) { return %x : \(type.mlirName) }"
    }
}

extension Client {
    /// A list of vectors.
    func list(_ vectors: [Float]...) throws -> BufferList {
        var list = BufferList(self)
        for vector in vectors { list.append(try buffer(vector)) }
        return list
    }
}

/// The code of the error that an expression throws; nil if it throws none.
func code(_ body: () throws -> Void) -> PJRTError.Code? {
    do {
        try body()
        return nil
    } catch let error as PJRTError {
        return error.code
    } catch {
        return nil
    }
}
