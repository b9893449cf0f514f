import Foundation
import SystemPackage
import Testing

@testable import Files

struct FolderTests {
    @Test func `A folder is made with those it stands in and may be there already`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending(["a", "b", "c"])
        try Folder.create(path)
        try Folder.create(path)
        try AtomicFile.write([1], to: path.appending("z"))
        try AtomicFile.write([1], to: path.appending("y"))
        #expect(try Folder.list(path) == ["y", "z"])
        try Folder.synchronize(path)
        try Folder.syncFileSystem(containing: path)
    }

    @Test func `A file in the way of a folder is an error and stays`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a")
        try AtomicFile.write([1], to: path)
        for place in [path, path.appending("b")] {
            let error = #expect(throws: FilesError.self) { try Folder.create(place) }
            #expect(error?.code == .wrongKind)
        }
        #expect(try MappedFile(path).size == 1)
    }

    @Test func `Listing what is not there or no folder is an error`() throws {
        let scratch = try Scratch()
        #expect(throws: FilesError.self) { try Folder.list(scratch.path.appending("no")) }
        try AtomicFile.write([1], to: scratch.path.appending("a"))
        #expect(throws: FilesError.self) { try Folder.list(scratch.path.appending("a")) }
        #expect(throws: FilesError.self) { try Folder.syncFileSystem(containing: scratch.path.appending("no")) }
    }

    @Test func `The cache is where the environment says`() {
        #expect(CacheFolder.root { ["PRONGHORN_CACHE": "/p", "XDG_CACHE_HOME": "/x", "HOME": "/h"][$0] } == "/p")
        #expect(CacheFolder.root { ["XDG_CACHE_HOME": "/x", "HOME": "/h"][$0] } == "/x/pronghorn")
        #expect(CacheFolder.root { ["XDG_CACHE_HOME": "x", "HOME": "/h"][$0] } == "/h/.cache/pronghorn")
        #expect(CacheFolder.root { ["PRONGHORN_CACHE": "", "HOME": "/h"][$0] } == "/h/.cache/pronghorn")
        #expect(CacheFolder.root { _ in nil }.string.hasPrefix("/tmp/pronghorn-"))
        #expect(CacheFolder.path("programs", "a").ends(with: "programs/a"))
    }
}
