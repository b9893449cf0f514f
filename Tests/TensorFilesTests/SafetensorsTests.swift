import Files
import Foundation
import SystemPackage
import Testing

@testable import TensorFiles

struct SafetensorsTests {
    private let tensors: [(String, DType, [Int])] = DType.allCases.flatMap { dtype in
        [
            ("\(dtype.rawValue)/a \"quoted\" ä", dtype, [3, 5]), ("\(dtype.rawValue)/scalar", dtype, []),
            ("\(dtype.rawValue)/empty", dtype, [4, 0]),
        ]
    }

    private func contents(_ dtype: DType, _ shape: [Int]) throws -> [UInt8] {
        (0..<(try #require(dtype.byteCount(of: shape)))).map { UInt8(dtype == .bool ? $0 % 2 : ($0 * 7) % 60) }
    }

    private func write(to path: FilePath) throws -> [Described] {
        let kept = try tensors.map { OwnedBytes(try contents($0.1, $0.2)) }
        try Safetensors.write(
            zip(tensors, kept).map { ($0.0, $0.1, $0.2, $1.bytes) },
            metadata: ["epoch": "3", "note": "a/b \"c\" \n ä"], to: path, durable: true)
        return zip(tensors, kept).map {
            Described(name: $0.0, dtype: $0.1.safetensorsName, shape: $0.2, sha256: Digest.sha256($1.bytes))
        }
    }

    @Test func `Arrays of bytes make the same file`() throws {
        let scratch = try Scratch()
        let (path, other) = (scratch.path.appending("a.safetensors"), scratch.path.appending("b.safetensors"))
        _ = try write(to: path)
        try Safetensors.write(
            tensors.map { ($0.0, $0.1, $0.2, try contents($0.1, $0.2)) },
            metadata: ["epoch": "3", "note": "a/b \"c\" \n ä"], to: other)
        #expect(try Digest.sha256(file: path) == Digest.sha256(file: other))
    }

    @Test func `What is written is read back, aligned to its elements`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.safetensors")
        let written = try write(to: path)
        let file = try SafetensorsFile(path)
        #expect(Set(file.names) == Set(written.map(\.name)))
        #expect(file.metadata["note"] == "a/b \"c\" \n ä")
        #expect(try file.verifyDigest())
        for one in written {
            let array = try file.tensor(one.name)
            #expect(array.dtype.safetensorsName == one.dtype && array.shape == one.shape)
            #expect(Digest.sha256(array.canonicalBytes()) == one.sha256)
            #expect(array.bytes.isEmpty || UInt(bitPattern: array.bytes.baseAddress) % UInt(array.dtype.size) == 0)
        }
        #expect(throws: TensorFilesError.self) { try file.tensor("no") }
    }

    @Test(.enabled(if: Python.has("numpy", "ml_dtypes", "safetensors")))
    func `The safetensors library reads what is written here and the other way round`() throws {
        let scratch = try Scratch()
        let written = try write(to: scratch.path.appending("a.safetensors"))
        let read = try Python.run(
            [Described].self,
            """
            import hashlib, json, os, sys
            import numpy as np
            from safetensors import deserialize, safe_open
            from safetensors.numpy import save_file
            path = os.path.join(sys.argv[1], 'a.safetensors')
            with safe_open(path, 'np') as f: assert f.metadata()['epoch'] == '3'
            told = [dict(name=n, dtype=t['dtype'], shape=t['shape'], sha256=hashlib.sha256(bytes(t['data'])).hexdigest())
                    for n, t in deserialize(open(path, 'rb').read())]
            save_file({'a': np.arange(6, dtype='f4').reshape(2, 3), 'b': np.ones(5, bool)},
                      os.path.join(sys.argv[1], 'b.safetensors'), {'k': 'v'})
            print(json.dumps(told))
            """, scratch.path.string)
        #expect(read.sorted { $0.name < $1.name } == written.sorted { $0.name < $1.name })
        let theirs = try SafetensorsFile(scratch.path.appending("b.safetensors"))
        #expect(theirs.names == ["a", "b"] && theirs.metadata == ["k": "v"])
        #expect(try theirs.verifyDigest() == false)
        let array = try theirs.tensor("a")
        #expect(array.shape == [2, 3] && array.dtype == .float32)
        #expect(array.bytes.loadUnaligned(fromByteOffset: 20, as: Float.self) == 5)
    }

    @Test func `A header that lies is refused`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.safetensors")
        for (header, code) in [
            (
                #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[4],"data_offsets":[8,12]}}"#,
                nil
            ),
            (#"{"__metadata__":{"a":"b"},"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}  "#, nil),
            (
                #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[8],"data_offsets":[4,12]}}"#,
                TensorFilesError.Code.malformed
            ),
            (
                #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[3],"data_offsets":[9,12]}}"#,
                .malformed
            ),
            (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, .malformed),
            (#"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#, .truncated),
            (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,12]}}"#, .malformed),
            (#"{"a":{"dtype":"F32","shape":[-3],"data_offsets":[0,12]}}"#, .malformed),
            (#"{"a":{"dtype":"F32","shape":[-1,-3],"data_offsets":[0,12]}}"#, .malformed),
            (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[12,0]}}"#, .malformed),
            (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[-12,0]}}"#, .malformed),
            (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0]}}"#, .malformed),
            (#"{"a":{"dtype":"U8","shape":[0],"data_offsets":[9223372036854775807,9223372036854775807]}}"#, .malformed),
            (#"{"a":{"dtype":"F32","shape":[4611686018427387904,2],"data_offsets":[0,12]}}"#, .malformed),
            (#"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,12]}}"#, .malformed),
            (#"{"a":{"dtype":"F8_E4M3","shape":[12],"data_offsets":[0,12]}}"#, .unsupported),
            (#"{"a":3}"#, .malformed), (#"{"a":"#, .malformed), (#"[]"#, .notThisFormat), ("", .notThisFormat),
            (String(repeating: #"{"a":"#, count: 5000), .malformed),
        ] {
            var bytes: [UInt8] = []
            bytes.append(little: UInt64(header.utf8.count))
            try AtomicFile.write(bytes + Array(header.utf8) + [UInt8](repeating: 1, count: 12), to: path)
            do throws(TensorFilesError) {
                _ = try SafetensorsFile(path)
                #expect(code == nil, "\(header)")
            } catch {
                #expect(error.code == code, "\(header): \(error)")
            }
        }
        for start in [UInt64.max, 1 << 63, 100_000_001, 90_000_000, 13] {
            var bytes: [UInt8] = []
            bytes.append(little: start)
            try AtomicFile.write(bytes + [UInt8](repeating: 0x7b, count: 12), to: path)
            #expect(throws: TensorFilesError.self, "\(start)") { try SafetensorsFile(path) }
        }
    }

    @Test func `A byte that flipped on the disk is noticed`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.safetensors")
        _ = try write(to: path)
        var bytes = try MappedFile(path).withBytes { Array($0) }
        bytes[bytes.count - 1] ^= 4
        try AtomicFile.write(bytes, to: path)
        let error = #expect(throws: TensorFilesError.self) { try SafetensorsFile(path).verifyDigest() }
        #expect(error?.code == .damaged)
    }

    @Test func `Tensors that cannot be written are refused and leave no file`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.safetensors")
        let bytes = OwnedBytes([1, 2, 3, 4])
        for tensors in [
            [("a", DType.float32, [2], bytes.bytes)], [("a", .float32, [-1], bytes.bytes)],
            [("a", .float32, [], bytes.bytes), ("a", .float32, [], bytes.bytes)],
            [("__metadata__", .float32, [], bytes.bytes)],
        ] {
            let error = #expect(throws: TensorFilesError.self) { try Safetensors.write(tensors, to: path) }
            #expect(error?.code == .invalid)
        }
        #expect(try scratch.names() == [])
    }
}
