import Files
import Foundation
import SystemPackage
import Testing

struct MappedFileTests {
    @Test func `A mapped file keeps its contents when the path is replaced`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a")
        try AtomicFile.write([1, 2, 3], to: path)
        let mapped = try MappedFile(path)
        try AtomicFile.write([9], to: path)
        #expect(mapped.withBytes { Array($0) } == [1, 2, 3])
        #expect(mapped.size == 3)
        #expect(try MappedFile(path).withBytes { Array($0) } == [9])
    }

    @Test func `An empty file maps to no bytes`() throws {
        let scratch = try Scratch()
        try AtomicFile.write([], to: scratch.path.appending("a"))
        #expect(try MappedFile(scratch.path.appending("a")).bytes.isEmpty)
    }

    @Test func `What is no regular file is refused without waiting`() throws {
        let scratch = try Scratch()
        #expect(mkfifo(scratch.path.appending("pipe").string, 0o600) == 0)
        for path in [scratch.path, "/dev/null", scratch.path.appending("pipe")] {
            let error = #expect(throws: FilesError.self) { try MappedFile(path) }
            #expect(error?.code == .wrongKind)
        }
        let error = #expect(throws: FilesError.self) { try MappedFile(scratch.path.appending("no")) }
        #expect(error?.code == .notFound)
    }

    @Test func `A stamp changes when a file is replaced and agrees with the mapping`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a")
        try AtomicFile.write([1, 2, 3], to: path)
        let first = try FileStamp(of: path)
        #expect(try FileStamp(of: path) == first)
        #expect(try MappedFile(path).modified == first.modified)
        #expect(first.size == 3)
        try AtomicFile.write([1, 2, 4], to: path)
        #expect(try FileStamp(of: path) != first)
        let decoded = try JSONDecoder().decode(FileStamp.self, from: JSONEncoder().encode(first))
        #expect(decoded == first)
        #expect(throws: FilesError.self) { try FileStamp(of: scratch.path.appending("no")) }
    }

    @Test func `Digests are the published ones`() throws {
        let scratch = try Scratch()
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        let path = scratch.path.appending("abc")
        try AtomicFile.write(Array("abc".utf8), to: path)
        #expect(Digest.sha256("abc") == abc)
        #expect(try Digest.sha256(file: path) == abc)
        #expect(Digest.sha256([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        var running = RunningDigest()
        Array("a".utf8).withUnsafeBytes { running.update($0) }
        Array("bc".utf8).withUnsafeBytes { running.update($0) }
        #expect(running.finish() == abc)
    }

    @Test func `A lock keeps others out until it is released`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("lock")
        try held(path)
        // Released at the end of `held`: taking it again does not wait.
        let again = try FileLock(path, wait: false)
        _ = consume again
    }

    private func held(_ path: FilePath) throws {
        let lock = try FileLock(path)
        let error = #expect(throws: FilesError.self) { _ = try FileLock(path, wait: false) }
        #expect(error?.code == .locked)
        #expect(throws: FilesError.self) { _ = try FileLock(path, exclusive: false, wait: false) }
        _ = consume lock
        let shared = try FileLock(path, exclusive: false, wait: false)
        let second = try FileLock(path, exclusive: false, wait: false)
        #expect(throws: FilesError.self) { _ = try FileLock(path, wait: false) }
        _ = consume shared
        _ = consume second
    }
}
