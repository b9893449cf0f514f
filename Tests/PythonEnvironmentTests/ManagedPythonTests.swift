import Files
import Foundation
import SystemPackage
import Testing

@testable import PythonEnvironment

@Suite("Pronghorn's own Python environment")
struct ManagedPythonTests {
    private func prepare(
        _ workshop: borrowing Workshop, _ requirements: Requirements = Requirements(), told: Told = Told()
    ) async throws(PythonEnvironmentError) -> Python {
        try await ManagedPython.prepare(
            requirements: requirements, interpreter: nil, progress: told.tell, surroundings: workshop.surroundings)
    }

    @Test("The first use makes it and says how far it is; the second starts no process and says nothing")
    func madeOnce() async throws {
        let workshop = try Workshop()
        let told = Told()
        let first = try await prepare(workshop, told: told)
        #expect(workshop.calls == ["probe", "venv", "pip", "facts"])
        #expect(told.lines.contains("collecting keras==3.15.1 (1 of 3)"))
        #expect(told.lines.contains("installing 3 packages"))
        #expect(first.plugin.path.string.hasSuffix("site-packages/xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so"))
        #expect(first.plugin.sha256 == Digest.sha256("a plugin"))
        #expect(first.version == "3.12.4")
        #expect(first.interpreter.string.hasPrefix(workshop.surroundings.folder.string))

        let quiet = Told()
        let second = try await prepare(workshop, told: quiet)
        #expect(second == first)
        #expect(workshop.calls.count == 4)
        #expect(quiet.lines.isEmpty)
    }

    @Test("Further requirements get an environment of their own, whatever their order")
    func furtherRequirements() async throws {
        let workshop = try Workshop()
        let plain = try await prepare(workshop)
        let further = try await prepare(workshop, Requirements(further: ["pandas", "polars>=1"]))
        let again = try await prepare(workshop, Requirements(further: ["polars>=1", "pandas"]))
        #expect(plain.key != further.key)
        #expect(again == further)
        let list = try String(
            contentsOfFile: workshop.surroundings.folder.appending(further.key).appending("requirements.txt").string,
            encoding: .utf8)
        #expect(list == "keras==3.15.1\njax==0.10.2\nxla_cpu_pjrt==0.0.1\npandas\npolars>=1\n")
    }

    @Test("A half-made environment is set aside and made anew, not used")
    func halfMade() async throws {
        let workshop = try Workshop()
        let first = try await prepare(workshop)
        let folder = workshop.surroundings.folder.appending(first.key)
        try FileManager.default.removeItem(atPath: folder.appending("complete.json").string)
        let told = Told()
        let second = try await prepare(workshop, told: told)
        #expect(second == first)
        #expect(workshop.environments.contains("\(first.key).set-aside-1"))
        #expect(told.lines.contains { $0.contains("is not whole") })
    }

    @Test("An environment whose plugin is gone is not used")
    func pluginGone() async throws {
        let workshop = try Workshop()
        let first = try await prepare(workshop)
        try FileManager.default.removeItem(atPath: first.plugin.path.string)
        let second = try await prepare(workshop)
        #expect(FileManager.default.fileExists(atPath: second.plugin.path.string))
        #expect(workshop.calls.filter { $0 == "pip" }.count == 2)
    }

    @Test("Two processes that need the same environment make it once: the second waits and says so")
    func twoAtOnce() async throws {
        let workshop = try Workshop(files: ["how/slow": ""])
        let (surroundings, one, two) = (workshop.surroundings, Told(), Told())
        let requirements = Requirements()
        async let first = ManagedPython.prepare(
            requirements: requirements, interpreter: nil, progress: one.tell, surroundings: surroundings)
        async let second = ManagedPython.prepare(
            requirements: requirements, interpreter: nil, progress: two.tell, surroundings: surroundings)
        let (a, b) = try await (first, second)
        #expect(a == b)
        #expect(workshop.calls.filter { $0 == "pip" }.count == 1)
        #expect((one.lines + two.lines).filter { $0.contains("another process") }.count == 1)
    }

    @Test(
        "An installer that fails gives one error with its last words, what is wrong and what to do",
        arguments: [
            (
                "WARNING: Retrying after connection broken by 'NewConnectionError': Temporary failure in name resolution\n"
                    + "ERROR: No matching distribution found for keras==3.15.1",
                "no_network", "HTTPS_PROXY"
            ),
            ("ERROR: No matching distribution found for nosuchthing==99", "unresolvable", "`python:`"),
            (
                "ERROR: Could not install packages: [Errno 28] No space left on device", "install_failed",
                "PRONGHORN_CACHE"
            ),
            ("error: command 'gcc' failed", "install_failed", "PRONGHORN_PYTHON"),
        ])
    func failingInstaller(words: String, code: String, advice: String) async throws {
        let workshop = try Workshop(files: ["how/fail-pip": words + "\n"])
        do {
            _ = try await prepare(workshop)
            Issue.record("it did not fail")
        } catch {
            #expect(error.code.description == code)
            #expect(error.message.contains(words.split(separator: "\n").last ?? "?"))
            #expect(error.message.contains(advice))
        }
        #expect(workshop.environments.allSatisfy { $0.hasSuffix(".lock") })
    }

    @Test("After a failure the next try starts from nothing and works")
    func tryAgain() async throws {
        let workshop = try Workshop(files: ["how/fail-pip": "ERROR: read timed out\n"])
        await #expect(throws: PythonEnvironmentError.self) { try await prepare(workshop) }
        try FileManager.default.removeItem(atPath: workshop.root.appending("how/fail-pip").string)
        _ = try await prepare(workshop)
    }

    @Test(
        "A Python that cannot do it is refused with what to install",
        arguments: [("how/no-venv", "no_venv", "apt install python3-venv"), ("how/old", "no_python", "Python 3.9")])
    func unfitPython(how: String, code: String, words: String) async throws {
        // No other Python may be on PATH, or it would be taken.
        let workshop = try Workshop(files: [how: ""])
        var surroundings = workshop.surroundings
        surroundings.environment["PATH"] = "\(workshop.root)/programs"
        do {
            _ = try await ManagedPython.prepare(
                requirements: Requirements(), interpreter: nil, progress: { _ in }, surroundings: surroundings)
            Issue.record("it did not fail")
        } catch {
            #expect(error.code.description == code)
            #expect(error.message.contains(words))
        }
    }

    @Test("A machine without any Python is told so")
    func noPython() async throws {
        let workshop = try Workshop()
        var surroundings = workshop.surroundings
        surroundings.environment["PATH"] = "\(workshop.root)/nothing"
        do {
            _ = try await ManagedPython.prepare(
                requirements: Requirements(), interpreter: nil, progress: { _ in }, surroundings: surroundings)
            Issue.record("it did not fail")
        } catch {
            #expect(error.code == .noPython)
            #expect(error.message.contains("no python3 on PATH"))
        }
    }

    @Test("A plugin that is not the pinned one is refused, and the environment is not kept")
    func wrongPlugin() async throws {
        let workshop = try Workshop(files: ["how/plugin": "something else"])
        do {
            _ = try await prepare(workshop)
            Issue.record("it did not fail")
        } catch {
            #expect(error.code == .badPlugin)
            #expect(error.message.contains(Digest.sha256("something else")))
        }
        #expect(workshop.environments.allSatisfy { $0.hasSuffix(".lock") })
    }

    @Test("With an NVIDIA GPU the environment also holds the CUDA plugin that fits the driver")
    func cudaPlugin() async throws {
        let workshop = try Workshop()
        let python = try await prepare(workshop, Requirements(accelerators: [.cuda(driver: "580.65.06")]))
        #expect(python.cudaPlugin?.path.string.hasSuffix("jax_plugins/xla_cuda13/xla_cuda_plugin.so") == true)
        #expect(python.cudaDataFolder == python.sitePackages.appending("nvidia/cu13"))
        let list = try String(
            contentsOfFile: workshop.surroundings.folder.appending(python.key).appending("requirements.txt").string,
            encoding: .utf8)
        #expect(list.contains("jax-cuda13-plugin[with-cuda]==0.10.2"))
        #expect(try await prepare(workshop).cudaPlugin == nil)
    }

    @Test("A driver gets the newest CUDA that it supports, or a clear refusal")
    func drivers() throws {
        #expect(try CUDAPlugin(driver: "580.65.06") == .cuda13)
        #expect(try CUDAPlugin(driver: "590.1") == .cuda13)
        #expect(try CUDAPlugin(driver: "575.57.08") == .cuda12)
        #expect(try CUDAPlugin(driver: "525.60.13") == .cuda12)
        let error = #expect(throws: PythonEnvironmentError.self) { try CUDAPlugin(driver: "470.82.01") }
        #expect(error?.code == .driverTooOld)
        #expect(error?.message.contains("470.82.01") == true)
    }

    @Test("PRONGHORN_CUDA_PLUGIN is used as it is, and no CUDA package is installed")
    func cudaOverride() async throws {
        let workshop = try Workshop(files: ["mine.so": "my plugin"])
        var surroundings = workshop.surroundings
        surroundings.environment["PRONGHORN_CUDA_PLUGIN"] = "\(workshop.root)/mine.so"
        let python = try await ManagedPython.prepare(
            requirements: Requirements(accelerators: [.cuda(driver: "470.1")]), interpreter: nil, progress: { _ in },
            surroundings: surroundings)
        #expect(
            python.cudaPlugin
                == PluginFile(path: workshop.root.appending("mine.so"), sha256: Digest.sha256("my plugin")))
    }
}
