import PJRT
import SystemPackage
import Testing

@Suite(.enabled(if: TestPlugin.isThere))
struct ExecutableCacheTests {
    private let cache = ExecutableCache(folder: temporaryFolder().appending("executables"))

    private func origin(_ text: String = Programs.add, _ options: CompileOptions = CompileOptions()) throws
        -> ExecutableCache.Origin
    {
        let client = try TestPlugin.client
        let code = Array(text.utf8)
        var announced = false
        let (program, origin) = try code.withUnsafeBytes {
            try cache.executable($0, for: client, signature: Programs.addSignature, options: options) {
                announced = true
            }
        }
        #expect(announced == (origin == .compiler))
        #expect(program.memory.arguments == 32)
        let results = try program.execute(client.list([1, 2, 3, 4]), client.list([1, 1, 1, 1]))
        #expect(try results.array(0) == [Float(2), 3, 4, 5])
        return origin
    }

    private func files() -> [FilePath] {
        (shell("ls \(cache.folder)") ?? "").split(separator: "\n").map { cache.folder.appending(String($0)) }
    }

    @Test("A program is compiled once")
    func roundTrip() throws {
        #expect(try origin() == .compiler)
        #expect(try origin() == .cache)
        #expect(files().count == 1)
    }

    @Test("Another program or other options are compiled anew")
    func keys() throws {
        #expect(try origin() == .compiler)
        #expect(try origin(Programs.addInPlace) == .compiler)
        #expect(
            try origin(Programs.add, CompileOptions(overrides: ["xla_cpu_enable_fast_math": .bool(true)])) == .compiler)
        #expect(files().count == 3)
    }

    @Test(
        "A damaged file is compiled anew, never handed to the plugin",
        arguments: ["flipped", "truncated", "empty", "other key", "no header"])
    func damaged(how: String) throws {
        #expect(try origin() == .compiler)
        let file = try #require(files().first)
        let good = try read(file)
        var bytes = good
        switch how {
        case "flipped": bytes[bytes.count / 2] ^= 1
        case "truncated": bytes.removeLast(100)
        case "empty": bytes = []
        case "other key": bytes[30] = bytes[30] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
        default: bytes.removeFirst(153)
        }
        try write(bytes, to: file)
        #expect(try origin() == .compiler)
        #expect(try origin() == .cache)
    }

    @Test("A folder that cannot be written costs time and nothing else")
    func unwritable() throws {
        let client = try TestPlugin.client
        let cache = ExecutableCache(folder: "/proc/nowhere")
        let code = Array(Programs.add.utf8)
        let origin = try code.withUnsafeBytes {
            try cache.executable($0, for: client, signature: Programs.addSignature).origin
        }
        #expect(origin == .compiler)
    }
}
