import Files
import Foundation
import SystemPackage
import Testing

@testable import TensorFiles

struct NPZTests {
    @Test(.enabled(if: Python.has("numpy")))
    func `Every way NumPy writes an archive is read as NumPy reads it`() throws {
        let scratch = try Scratch()
        let described = try Python.run(
            [Described].self,
            """
            import hashlib, io, json, os, sys, zipfile
            import numpy as np
            rng = np.random.default_rng(1)
            arrays = {'x': rng.random((300, 50)).astype('f4'), 'y': rng.integers(0, 9, 300), 'big': np.arange(7, dtype='>f8'),
                      'fortran': np.asfortranarray(rng.random((4, 3, 2))), 'empty': np.zeros((0, 3)), 'one': np.float32(3)}
            out = sys.argv[1]
            class Pipe(io.RawIOBase):
                def __init__(self, path): self.file = open(path, 'wb')
                def writable(self): return True
                def write(self, b): return self.file.write(b)
            np.savez(os.path.join(out, 'stored.npz'), **arrays)
            np.savez_compressed(os.path.join(out, 'deflated.npz'), **arrays)
            for name, save in [('piped.npz', np.savez), ('piped-deflated.npz', np.savez_compressed)]:
                pipe = Pipe(os.path.join(out, name)); save(pipe, **arrays); pipe.file.close()
            with zipfile.ZipFile(os.path.join(out, 'commented.npz'), 'w') as z:
                z.comment = b'a comment' * 1000
                for name, a in arrays.items():
                    b = io.BytesIO(); np.save(b, a); z.writestr(name + '.npy', b.getvalue())
            print(json.dumps([dict(name=n, dtype=a.dtype.newbyteorder('=').name, shape=list(a.shape), sha256=
                hashlib.sha256(np.ascontiguousarray(a).astype(a.dtype.newbyteorder('<')).tobytes()).hexdigest())
                for n, a in arrays.items()]))
            """, scratch.path.string)
        for file in ["stored", "deflated", "piped", "piped-deflated", "commented"] {
            let npz = try NPZ(scratch.path.appending(file + ".npz"))
            #expect(npz.names == described.map(\.name), "\(file)")
            for one in described {
                let extracted = scratch.path.appending("extracted.npy")
                try npz.extract(one.name, to: extracted)
                for array in [try npz.array(one.name), try MappedArray(extracted)] {
                    #expect(
                        Described(
                            name: one.name, dtype: array.dtype.rawValue, shape: array.shape,
                            sha256: Digest.sha256(array.canonicalBytes())) == one, "\(file)")
                }
                #expect(try npz.isStored(one.name) == !file.hasSuffix("deflated"))
                if try npz.isStored(one.name) {
                    let place = try npz.file(one.name)
                    let raw = try MappedFile(place.path).withBytes {
                        Array($0[place.offset..<place.offset + place.byteCount])
                    }
                    #expect(try npz.array(one.name).withBytes { Array($0) } == raw)
                } else {
                    let error = #expect(throws: TensorFilesError.self) { try npz.file(one.name) }
                    #expect(error?.code == .unsupported)
                }
            }
            let error = #expect(throws: TensorFilesError.self) { try npz.array("z") }
            #expect(error?.code == .notFound && error?.message.contains("fortran") == true)
        }
    }

    @Test func `Archives with 64-bit fields, data descriptors and deflated members are read`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.npz")
        for (bytes, shapes) in [
            (try Fixtures.deflated(), [[10, 4], [3, 2]]), (try Fixtures.streamed(), [[3, 4], [3, 2]]),
            (try Fixtures.long(), [[2, 2], [2, 2]]),
        ] {
            try AtomicFile.write(bytes, to: path)
            let npz = try NPZ(path)
            #expect(try npz.names.map { try npz.array($0).shape } == shapes)
        }
    }

    @Test(.enabled(if: Python.path != nil), arguments: [false, true])
    func `Archives written here are read by Python`(always64: Bool) throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.zip")
        let members = [("a.txt", OwnedBytes(Array("alpha".utf8))), ("ä/empty", OwnedBytes([]))]
        try StoredArchive.write(
            members.map { ($0.0, $0.1.bytes) }, to: path, durable: false, always64: always64)
        let text = try Python.run(
            """
            import sys, zipfile
            with zipfile.ZipFile(sys.argv[1]) as z:
                assert z.testzip() is None
                print([(i.filename, z.read(i), i.extract_version) for i in z.infolist()])
            """, path.string)
        let version = always64 ? 45 : 20
        #expect(text == "[('a.txt', b'alpha', \(version)), ('ä/empty', b'', \(version))]\n")
        let archive = try ZipArchive(path)
        #expect(try archive.members.map { try archive.contents($0) } == [Array("alpha".utf8), []])
        let again = scratch.path.appending("b.zip")
        try StoredArchive.write(members.map { ($0.0, $0.1.bytes) }, to: again, durable: false, always64: always64)
        #expect(try Digest.sha256(file: again) == Digest.sha256(file: path))
    }

    @Test(arguments: ["../../x.npy", "/etc/x.npy", "a/../../x.npy", "a\\..\\x.npy", "a\u{0}.npy", "a\n.npy"])
    func `A member whose name would lead out of a folder is refused`(name: String) throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.npz")
        let array = OwnedBytes(try NPY.header(dtype: .int8, shape: [1]) + [1])
        try StoredArchive.write([(name, array.bytes)], to: path)
        let error = #expect(throws: TensorFilesError.self) { try NPZ(path) }
        #expect(error?.code == .malformed)
        #expect(error?.message.unicodeScalars.contains { $0.value < 32 } == false)
    }

    @Test func `A damaged, shortened or foreign archive is refused`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.npz")
        let whole = try Fixtures.deflated()
        for count in [0, 1, 21, 22, 23] + Array(stride(from: 30, to: whole.count, by: 7)) {
            _ = unlink(path.string)
            try AtomicFile.write(Array(whole[..<count]), to: path)
            #expect(throws: TensorFilesError.self, "\(count) bytes") { try NPZ(path) }
        }
        var flipped = whole
        flipped[120] ^= 1
        try AtomicFile.write(flipped, to: path)
        let error = #expect(throws: TensorFilesError.self) { try NPZ(path).array("a") }
        #expect(error?.code == .damaged)
        #expect(throws: TensorFilesError.self) { try NPZ(path).extract("a", to: scratch.path.appending("a.npy")) }
        #expect(try scratch.names() == ["a.npz"])
    }

    @Test func `Members that share bytes or names are refused`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.zip")
        let data = OwnedBytes([1, 2, 3, 4])
        try StoredArchive.write([("a", data.bytes), ("b", data.bytes)], to: path)
        let whole = try MappedFile(path).withBytes { Array($0) }
        // The directory's second entry ends 22 bytes before the end of the file; its name is its last byte, before
        // which the place of its local header stands.
        let entry = whole.count - 22 - 47
        var overlapping = whole
        overlapping[entry + 42] = 0
        overlapping[entry + 46] = UInt8(ascii: "a")
        try AtomicFile.write(overlapping, to: path)
        #expect(throws: TensorFilesError.self) { try ZipArchive(path) }
        var renamed = whole
        renamed[entry + 46] = UInt8(ascii: "c")
        try AtomicFile.write(renamed, to: path)
        #expect(throws: TensorFilesError.self) { try ZipArchive(path) }
        #expect(throws: TensorFilesError.self) {
            try StoredArchive.write([("a", data.bytes), ("a", data.bytes)], to: path)
        }
    }
}
