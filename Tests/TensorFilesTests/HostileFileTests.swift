import Files
import Foundation
import SystemPackage
import Testing

@testable import TensorFiles

/// Files that are wrong in ways nobody thought of, drawn from a fixed seed; `PRONGHORN_FUZZ_COUNT` says how many.
struct HostileFileTests {
    private static let count = ProcessInfo.processInfo.environment["PRONGHORN_FUZZ_COUNT"].flatMap(Int.init) ?? 100_000

    /// SplitMix64: the same files on every machine.
    private struct Draws: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }

    enum Format: CaseIterable {
        case npy
        case npz
        case safetensors
        case keras
    }

    private static func seeds(_ format: Format) throws -> [[UInt8]] {
        let scratch = try Scratch()
        let path = scratch.path.appending("a")
        let data = OwnedBytes([UInt8](repeating: 9, count: 48))
        switch format {
        case .npy:
            var fortran = try NPY.header(dtype: .float32, shape: [3, 4])
            let word = try #require(fortran.firstRange(of: Array("False".utf8)))
            fortran.replaceSubrange(word, with: Array("True ".utf8))
            func replaced(_ descriptor: String) throws -> [UInt8] {
                var header = try NPY.header(dtype: .float32, shape: [3, 4])
                let word = try #require(header.firstRange(of: Array("'<f4'".utf8)))
                header.replaceSubrange(word, with: Array(descriptor.utf8))
                return header + Array(data.bytes)
            }
            return [
                // The other order of bytes, which is read, and pickled objects, which are not.
                try replaced("'>f4'"), try replaced("'|O8'"),
                try NPY.header(dtype: .float64, shape: [6]) + Array(data.bytes), fortran + Array(data.bytes),
                try NPY.header(dtype: .int16, shape: [2, 3, 4]) + Array(data.bytes),
            ]
        case .npz:
            return [try Fixtures.deflated(), try Fixtures.streamed(), try Fixtures.long()]
        case .safetensors:
            try Safetensors.write(
                [
                    ("a", .float32, [3, 4], data.bytes), ("b/c", .int8, [48], data.bytes),
                    ("d", .bool, [0], .init(rebasing: data.bytes[..<0])),
                ],
                metadata: ["epoch": "1"], to: path)
        case .keras:
            let config = OwnedBytes(Array(#"{"a": 1}"#.utf8))
            let weights = OwnedBytes([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a] + Array(data.bytes))
            try StoredArchive.write(
                [("metadata.json", config.bytes), ("config.json", config.bytes), ("model.weights.h5", weights.bytes)],
                to: path)
        }
        return [try MappedFile(path).withBytes { Array($0) }]
    }

    private static func mutated(_ seed: [UInt8], _ draws: inout Draws) -> [UInt8] {
        var bytes = seed
        for _ in 0..<Int.random(in: 1...4, using: &draws) {
            guard !bytes.isEmpty else { return bytes }
            let place = Int.random(in: 0..<bytes.count, using: &draws)
            let end = min(bytes.count, place + Int.random(in: 1...16, using: &draws))
            switch Int.random(in: 0..<9, using: &draws) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &draws)
            case 1: bytes[place] = [0, 0xff, 0x7f, 0x80, 0x2d, 0x39, 0x2c][Int.random(in: 0..<7, using: &draws)]
            case 2: bytes[place] = .random(in: 0 ... .max, using: &draws)
            case 3: bytes.removeSubrange(place...)
            case 4: bytes.removeSubrange(place..<end)
            case 5: bytes.insert(contentsOf: bytes[place..<end], at: place)
            case 6:
                for (index, byte) in "9223372036854775807".utf8.enumerated() where place + index < bytes.count {
                    bytes[place + index] = byte
                }
            case 7:
                let number = [UInt32.max, .max >> 1, 1 << 31, 0, 22, 46].randomElement(using: &draws) ?? 0
                for index in 0..<4 where place + index < bytes.count {
                    bytes[place + index] = UInt8(truncatingIfNeeded: number >> (8 * UInt32(index)))
                }
            default:
                for index in 0..<8 where place + index < bytes.count { bytes[place + index] = 0xff }
            }
        }
        return bytes
    }

    /// Uses all that an accepted file offers; a read beyond its bytes would trap or be seen here.
    private static func use(_ format: Format, _ path: FilePath, _ output: FilePath) throws {
        func use(_ array: MappedArray) throws {
            #expect(array.dtype.byteCount(of: array.shape) == array.bytes.count)
            #expect(array.canonicalBytes().count == array.bytes.count)
            if array.isCanonical, array.rows > 0 { _ = try array.bytes(ofRow: array.rows - 1).reduce(0, ^) }
        }
        switch format {
        case .npy: try use(MappedArray(path))
        case .npz:
            let npz = try NPZ(path)
            for name in npz.names { try? use(npz.array(name)) }
        case .safetensors:
            let file = try SafetensorsFile(path)
            for name in file.names { try use(file.tensor(name)) }
            _ = try? file.verifyDigest()
        case .keras:
            try KerasTemplate(path).write(to: output, patches: [], configPatches: [(0..<1, "")])
            _ = try ZipArchive(output)
        }
    }

    private static func save(_ bytes: [UInt8], _ name: String) -> Bool {
        let file = open(name, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        defer { close(file) }
        return write(file, bytes, bytes.count) == bytes.count
    }

    @Test(arguments: Format.allCases)
    func `A hostile file ends in an error, never in a crash`(format: Format) throws {
        let scratch = try Scratch()
        let (path, output) = (scratch.path.appending("hostile"), scratch.path.appending("output"))
        let name = path.string
        let seeds = try Self.seeds(format)
        var draws = Draws(state: 20_251_123)
        var refused = 0
        let count = Self.count / Format.allCases.count
        for index in 0..<count {
            // A new name each time: some file systems bring a file that is written over to the disk at once.
            _ = unlink(name)
            _ = unlink(output.string)
            #expect(Self.save(Self.mutated(seeds[index % seeds.count], &draws), name))
            do {
                try Self.use(format, path, output)
            } catch is TensorFilesError {
                refused += 1
            }
        }
        // Some mutations (of data, of a comment) leave a file right: if none did, nothing beyond the header was tried.
        #expect(refused > count / 4 && refused < count)
    }
}
