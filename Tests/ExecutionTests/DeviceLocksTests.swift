import Devices
import Foundation
import SystemPackage
import Testing

@testable import Execution

@Suite("Two runs on one accelerator") struct DeviceLocksTests {
    private static func gpus(_ names: String...) -> [Device] {
        names.enumerated().map { index, name in
            Device(
                name: "cuda:\(index)", kind: .cuda(uuid: name, index: index), environment: [:], cores: [], memory: nil)
        }
    }

    private static let cpu = Device(name: "cpu:0", kind: .cpu(cores: [0]), environment: [:], cores: [0], memory: nil)

    private static func folder() -> FilePath {
        FilePath(FileManager.default.temporaryDirectory.appending(path: "devices-\(UUID().uuidString)").path)
    }

    @Test("The second is refused, and told who holds it; once the first is over it may have it")
    func second() throws {
        let folder = Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        var first: DeviceLocks? = try DeviceLocks(Self.gpus("GPU-1", "GPU-2"), in: folder, holder: "process 7, run /a")
        let error = #expect(throws: RunError.self) {
            _ = try DeviceLocks(Self.gpus("GPU-3", "GPU-2"), in: folder, holder: "process 8, run /b")
        }
        #expect(
            error?.message
                == "cuda:1 (GPU-2) is held by process 7, run /a; wait for its end, or name other devices with --devices"
        )
        #expect(error?.code == .request)
        // What was refused holds nothing itself.
        _ = try DeviceLocks(Self.gpus("GPU-3"), in: folder, holder: "process 9, run /c")
        _ = first
        first = nil
        _ = try DeviceLocks(Self.gpus("GPU-2"), in: folder, holder: "process 8, run /b")
    }

    @Test("Shares of a CPU are held by nobody, and a name of a device is no path")
    func names() throws {
        let folder = Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        let one = try DeviceLocks([Self.cpu], in: folder, holder: "a")
        let other = try DeviceLocks([Self.cpu], in: folder, holder: "b")
        #expect(!FileManager.default.fileExists(atPath: folder.string))
        let third = try DeviceLocks(Self.gpus("../../GPU/1"), in: folder, holder: "c")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.string) == ["______GPU_1.lock"])
        withExtendedLifetime((one, other, third)) {}
    }
}
