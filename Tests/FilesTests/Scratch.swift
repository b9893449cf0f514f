import Foundation
import SystemPackage

/// A folder of a test's own, removed with its contents at the end.
final class Scratch {
    let path: FilePath

    init() throws {
        path = FilePath(FileManager.default.temporaryDirectory.path).appending("pronghorn-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
    }

    func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path.string).sorted() }

    deinit { try? FileManager.default.removeItem(atPath: path.string) }
}
