import Glibc
import SystemPackage
import Testing

@testable import PJRT

@Suite(.enabled(if: TestPlugin.isThere))
struct PluginTests {
    @Test("A plugin tells its interface and the StableHLO version to lower for")
    func versions() throws {
        let plugin = try TestPlugin.client.plugin
        #expect(plugin.version.major == 0)
        #expect(plugin.version.minor >= 81)
        #expect(plugin.stableHLOVersion?.split(separator: ".").count == 3)
        #expect(plugin.digest.utf8.count == 64)
    }

    @Test("A truncated plugin is refused before it can kill the process")
    func truncatedPlugin() throws {
        let plugin = try TestPlugin.client.plugin
        let copy = temporaryFolder().appending("truncated.so")
        #expect(shell("head -c 1000000 \(plugin.path) > \(copy)") != nil)
        #expect(code { _ = try Plugin.load(copy, expecting: plugin.digest) } == .digestMismatch)
    }

    @Test("A plugin that is loaded already is held to its digest too")
    func wrongDigestOfLoadedPlugin() throws {
        let plugin = try TestPlugin.client.plugin
        #expect(
            code { _ = try Plugin.load(plugin.path, expecting: String(repeating: "0", count: 64)) } == .digestMismatch)
        #expect(try Plugin.load(plugin.path, expecting: plugin.digest.uppercased()) === plugin)
    }

    @Test("A client names its platform and devices")
    func clientAndDevices() throws {
        let client = try TestPlugin.client
        #expect(client.platformName == "cpu")
        let devices = try client.devices
        #expect(devices.count == 1)
        #expect(devices[0].id == 0)
        #expect(!devices[0].kind.isEmpty)
        #expect(devices[0].memory == nil)
    }

    @Test("A wrong type of a client option is an error, not the end of the process")
    func wrongOption() throws {
        let plugin = try TestPlugin.client.plugin
        #expect(code { _ = try Client(plugin, options: ["cpu_device_count": .string("1")]) } == .invalidArgument)
    }
}

struct PluginFileTests {
    @Test("A path without a plugin says so")
    func missing() {
        #expect(code { _ = try Plugin.load("/nowhere/plugin.so") } == .pluginMissing)
    }

    @Test("A file that is no library says so")
    func noLibrary() throws {
        let folder = temporaryFolder()
        try write(Array("no library".utf8), to: folder.appending("plugin.so"))
        #expect(code { _ = try Plugin.load(folder.appending("plugin.so"), stamps: folder) } == .pluginMissing)
    }

    @Test(
        "A plugin of another interface is refused before it is called",
        arguments: [
            (major: 1, minor: 0, size: 4_096, code: PJRTError.Code.incompatible),
            (major: 0, minor: 40, size: 4_096, code: .incompatible),
            (major: 0, minor: 90, size: 400, code: .incompatible),
        ])
    func otherInterface(major: Int, minor: Int, size: Int, code expected: PJRTError.Code) throws {
        let folder = temporaryFolder()
        let source = """
            #include <stddef.h>
            static struct { size_t size; void *next; size_t version_size; void *version_next; int major, minor;
              void *entries[600]; } table = { \(size), 0, 24, 0, \(major), \(minor), { 0 } };
            const void *GetPjrtApi(void) { return &table; }
            """
        try write(Array(source.utf8), to: folder.appending("plugin.c"))
        #expect(shell("cd \(folder) && cc -shared -fPIC -o plugin.so plugin.c 2>&1") == "")
        #expect(code { _ = try Plugin.load(folder.appending("plugin.so"), stamps: folder) } == expected)
    }

    @Test("A plugin without a needed call gives an error that names the call")
    func missingEntry() throws {
        let folder = temporaryFolder()
        let source = """
            #include <stddef.h>
            static struct { size_t size; void *next; size_t version_size; void *version_next; int major, minor;
              void *entries[600]; } table = { 4840, 0, 24, 0, 0, 90, { 0 } };
            const void *GetPjrtApi(void) { return &table; }
            """
        try write(Array(source.utf8), to: folder.appending("plugin.c"))
        #expect(shell("cd \(folder) && cc -shared -fPIC -o plugin.so plugin.c 2>&1") == "")
        let error = #expect(throws: PJRTError.self) {
            _ = try Plugin.load(folder.appending("plugin.so"), stamps: folder)
        }
        #expect(error?.code == .incompatible)
        #expect(error?.message.contains("PJRT_Plugin_Initialize") == true)
    }

    @Test("A plugin's file is not hashed again until it changes")
    func digestIsRemembered() throws {
        let folder = temporaryFolder()
        let digests = PluginDigest(folder: folder)
        let digest = try digests.digest(of: "/bin/sh")
        #expect(digest == shell("sha256sum /bin/sh").map { String($0.prefix(64)) })

        let memory = try #require(shell("ls \(folder)/*.txt")).split(separator: "\n")
        try #require(memory.count == 1)
        let file = FilePath(String(memory[0]))
        let text = String(decoding: try read(file), as: UTF8.self)
        let other = String(repeating: "f", count: 64)
        try write(Array(text.replacing(digest, with: other).utf8), to: file)
        #expect(try digests.digest(of: "/bin/sh") == other)

        try write(Array("1 \(text.replacing(digest, with: other))".utf8), to: file)
        #expect(try digests.digest(of: "/bin/sh") == digest)
    }
}
