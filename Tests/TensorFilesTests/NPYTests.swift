import Files
import Foundation
import SystemPackage
import Testing

@testable import TensorFiles

struct NPYTests {
    @Test(.enabled(if: Python.has("numpy")))
    func `Every array that NumPy saves is read as NumPy reads it`() throws {
        let scratch = try Scratch()
        let described = try Python.run(
            [Described].self,
            """
            import hashlib, json, os, sys
            import numpy as np
            from numpy.lib import format
            out, rng, told = sys.argv[1], np.random.default_rng(1), []
            def save(name, a, version=None):
                with open(os.path.join(out, name), 'wb') as f:
                    format.write_array(f, a, version=version)
                c = np.ascontiguousarray(a).astype(a.dtype.newbyteorder('<'))
                told.append(dict(name=name, dtype=a.dtype.newbyteorder('=').name, shape=list(a.shape),
                                 sha256=hashlib.sha256(c.tobytes()).hexdigest()))
            for t in ['bool','int8','int16','int32','int64','uint8','uint16','uint32','uint64',
                      'float16','float32','float64']:
                for shape in [(), (0,), (5,), (3, 4), (2, 3, 4), (4, 0, 2)]:
                    a = (rng.random(shape) * 100).astype(t)
                    tag = t + 'x'.join(map(str, shape))
                    save(tag + '.npy', np.asarray(a))
                    save(tag + 'b.npy', np.asarray(a).astype(np.dtype(t).newbyteorder('>')))
                    save(tag + 'f.npy', np.asfortranarray(a))
                    save(tag + 'bf.npy', np.asfortranarray(a).astype(np.dtype(t).newbyteorder('>'), order='F'))
            for v in [(1, 0), (2, 0), (3, 0)]:
                save('v%d.npy' % v[0], np.arange(12).reshape(3, 4), v)
            print(json.dumps(told))
            """, scratch.path.string)
        #expect(described.count == 12 * 6 * 4 + 3)
        for one in described {
            let array = try MappedArray(scratch.path.appending(one.name))
            #expect(
                Described(
                    name: one.name, dtype: array.dtype.rawValue, shape: array.shape,
                    sha256: Digest.sha256(array.canonicalBytes())) == one)
            let file = try ArrayFile(scratch.path.appending(one.name))
            #expect(file.isCanonical == array.isCanonical)
            #expect(try MappedFile(file.path).size == file.offset + file.byteCount)
        }
    }

    @Test(.enabled(if: Python.has("numpy", "ml_dtypes")))
    func `Arrays written here are read by NumPy`() throws {
        let scratch = try Scratch()
        var written: [Described] = []
        for dtype in DType.allCases {
            for shape in [[], [0], [6], [2, 3], [1, 2, 3]] {
                let count = try #require(dtype.byteCount(of: shape))
                let bytes = (0..<count).map { UInt8(dtype == .bool ? $0 % 2 : $0 % 50) }
                let name = "\(dtype.rawValue)-\(shape.count)-\(count).npy"
                try bytes.withUnsafeBytes {
                    try NPY.write($0, dtype: dtype, shape: shape, to: scratch.path.appending(name))
                }
                written.append(
                    Described(name: name, dtype: dtype.rawValue, shape: shape, sha256: Digest.sha256(bytes)))
                #expect(try MappedArray(scratch.path.appending(name)).canonicalBytes() == bytes)
            }
        }
        let read = try Python.run(
            [Described].self,
            """
            import hashlib, json, os, sys
            import numpy as np, ml_dtypes
            told = []
            for name in os.listdir(sys.argv[1]):
                a = np.load(os.path.join(sys.argv[1], name))
                if a.dtype.kind == 'V': a = a.view(ml_dtypes.bfloat16)
                told.append(dict(name=name, dtype=a.dtype.name, shape=list(a.shape),
                                 sha256=hashlib.sha256(a.tobytes()).hexdigest()))
            print(json.dumps(told))
            """, scratch.path.string)
        #expect(read.sorted { $0.name < $1.name } == written.sorted { $0.name < $1.name })
    }

    @Test(.enabled(if: Python.has("numpy", "ml_dtypes")))
    func `What is not numbers is refused with the reason`() throws {
        let scratch = try Scratch()
        _ = try Python.run(
            """
            import sys, numpy as np, ml_dtypes
            for name, a in dict(object=np.array([{}, 1], dtype=object), text=np.array(['a']), bytes=np.array([b'a']),
                                complex=np.zeros(2, 'c8'), time=np.zeros(2, 'M8[s]'), void=np.zeros(2, 'V2'),
                                structured=np.zeros(2, [('a', 'f4')]), long=np.zeros(2, np.longdouble)).items():
                np.save(sys.argv[1] + '/' + name + '.npy', a)
            np.save(sys.argv[1] + '/bfloat16.npy', np.ones(2, ml_dtypes.bfloat16))
            """, scratch.path.string)
        for (name, reason) in [
            ("object", "pickle"), ("text", "text"), ("bytes", "text"), ("complex", "<c8"), ("time", "times"),
            ("void", "|V2"), ("structured", "structured"), ("long", "f16"),
        ] {
            let path = scratch.path.appending(name + ".npy")
            let error = #expect(throws: TensorFilesError.self) { try ArrayFile(path) }
            #expect(error?.code == .unsupported, "\(name)")
            #expect(error?.message.contains(reason) == true, "\(name): \(error?.message ?? "")")
            #expect(error?.message.contains(path.string) == true)
        }
        #expect(try ArrayFile(scratch.path.appending("bfloat16.npy")).dtype == .bfloat16)
    }

    @Test func `Rows are found where they stand and no others`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.npy")
        let bytes = (0..<24).map { UInt8($0) }
        try bytes.withUnsafeBytes { try NPY.write($0, dtype: .int16, shape: [3, 2, 2], to: path) }
        let array = try MappedArray(path)
        #expect(array.rows == 3 && array.rowBytes == 8)
        #expect(try Array(array.bytes(ofRow: 1)) == Array(8..<16))
        for row in [-1, 3, Int.max, Int.min] {
            #expect(throws: TensorFilesError.self) { try array.bytes(ofRow: row) }
        }
        let file = try MappedFile(path)
        let offset = try ArrayFile(path).offset
        #expect(offset % 64 == 0)
        #expect(try MappedArray(file, offset: offset, dtype: .int16, shape: [3, 4]).canonicalBytes() == bytes)
        for (offset, shape) in [(offset + 1, [3, 4]), (-1, [1]), (0, [-1]), (0, [Int.max, 4]), (Int.max, [1])] {
            #expect(throws: TensorFilesError.self) {
                try MappedArray(file, offset: offset, dtype: .int16, shape: shape)
            }
        }
    }

    @Test func `A header that lies is refused before anything is read`() throws {
        for (header, code) in [
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", nil),
            ("{\"shape\": (1L, 3), \"descr\": \"<f4\", 'fortran_order': True}", nil),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", TensorFilesError.Code.malformed),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", .truncated),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", .malformed),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", .malformed),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9223372036854775807, 9), }", .malformed),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }", .truncated),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (3)}", .malformed),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'shape': (3,)}", .malformed),
            ("{'descr': '<f4', 'fortran_order': 1, 'shape': (3,), }", .malformed),
            ("{'descr': '<f4', 'shape': (3,), }", .malformed),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'more': 1}", .malformed),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), } import os", .malformed),
            ("{'descr': __import__('os'), 'fortran_order': False, 'shape': (3,)}", .malformed),
            ("{'descr': '?', 'fortran_order': False, 'shape': (3,)}", .malformed),
            ("{'descr': '', 'fortran_order': False, 'shape': (3,)}", .malformed),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (\(String(repeating: "1,", count: 65)))}",
                .unsupported
            ),
            ("{'descr': '<f4", .malformed), ("{", .malformed), ("", .malformed),
        ] {
            var bytes = NPYHeader.magic + [1, 0]
            bytes.append(little: UInt16(header.utf8.count))
            bytes += Array(header.utf8) + [UInt8](repeating: 0, count: 12)
            let found: TensorFilesError.Code? = bytes.withUnsafeBytes { raw in
                do throws(TensorFilesError) {
                    _ = try NPYHeader(raw, source: "test")
                    return nil
                } catch { return error.code }
            }
            #expect(found == code, "\(header)")
        }
    }

    @Test func `An array of the wrong number of bytes is not written`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.npy")
        for shape in [[2], [4], [-3], [Int.max, Int.max]] {
            let error = #expect(throws: TensorFilesError.self) {
                try [1, 2, 3].withUnsafeBytes { try NPY.write($0, dtype: .int32, shape: shape, to: path) }
            }
            #expect(error?.code == .invalid)
        }
        #expect(try scratch.names() == [])
    }
}
