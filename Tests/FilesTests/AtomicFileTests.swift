import Foundation
import SystemPackage
import Testing

@testable import Files

struct AtomicFileTests {
    @Test(arguments: [false, true])
    func `A written file holds all bytes and nothing else is left in its folder`(durable: Bool) throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.bin")
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try AtomicFile.write([1, 2, 3], to: path, durable: durable)
        try AtomicFile.write(bytes, to: path, durable: durable)
        #expect(try MappedFile(path).withBytes { Array($0) } == bytes)
        #expect(try scratch.names() == ["a.bin"])
    }

    @Test func `A file written piece by piece holds the pieces in order`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.bin")
        var expected: [UInt8] = []
        try AtomicFile.write(to: path) { writer in
            for size in [0, 1, 10, 65_535, 3, 65_536, 200_000, 1, 40_000, 40_000] {
                let piece = [UInt8](repeating: UInt8(size % 251), count: size)
                try writer.write(piece)
                expected += piece
                #expect(writer.count == expected.count)
            }
            try writer.write("end\n")
            expected += Array("end\n".utf8)
        }
        #expect(try MappedFile(path).withBytes { Array($0) } == expected)
    }

    @Test func `A write that fails half way leaves the old file and no temporary one`() throws {
        struct Stop: Error {}
        let scratch = try Scratch()
        let path = scratch.path.appending("a.bin")
        try AtomicFile.write([7], to: path)
        #expect(throws: Stop.self) {
            try AtomicFile.write(to: path) { writer in
                try writer.write([UInt8](repeating: 1, count: 100_000))
                throw Stop()
            }
        }
        #expect(try MappedFile(path).withBytes { Array($0) } == [7])
        #expect(try scratch.names() == ["a.bin"])
    }

    @Test(arguments: [Errno.noSpace, .diskQuotaExceeded])
    func `A full disk is named as such`(errno: Errno) {
        let error = FilesError("write", "/data/a.bin", errno)
        #expect(error.code == .diskFull)
        #expect(error.description.hasPrefix("cannot write /data/a.bin: "))
        #expect(error.description.contains("free some space"))
    }

    @Test func `A missing folder is named in the error`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending(["no", "a.bin"])
        let error = #expect(throws: FilesError.self) { try AtomicFile.write([1], to: path) }
        #expect(error?.code == .notFound)
        #expect(error?.description.contains(path.string) == true)
    }

    @Test func `A folder is never replaced by a file`() throws {
        let scratch = try Scratch()
        try Folder.create(scratch.path.appending("a"))
        #expect(throws: FilesError.self) { try AtomicFile.write([1], to: scratch.path.appending("a")) }
        #expect(throws: FilesError.self) { try AtomicFile.write([1], to: scratch.path.appending("..")) }
        #expect(try scratch.names() == ["a"])
    }

    @Test func `Names of the greatest length can be written`() throws {
        let scratch = try Scratch()
        let name = String(repeating: "n", count: 255)
        try AtomicFile.write([1], to: scratch.path.appending(name))
        #expect(try scratch.names() == [name])
    }

    @Test func `Writers of one path never mix their bytes`() async throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.bin")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for value in UInt8(0)..<16 {
                group.addTask { try AtomicFile.write([UInt8](repeating: value, count: 70_000), to: path) }
            }
            try await group.waitForAll()
        }
        let bytes = try MappedFile(path).withBytes { Array($0) }
        #expect(bytes.count == 70_000 && Set(bytes).count == 1)
        #expect(try scratch.names() == ["a.bin"])
    }
}
