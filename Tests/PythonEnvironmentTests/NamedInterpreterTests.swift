import Files
import Foundation
import SystemPackage
import Testing

@testable import PythonEnvironment

@Suite("An interpreter of the user's")
struct NamedInterpreterTests {
    @Test("It is used as it is, and the plugins that it lacks come from an environment of Pronghorn's own")
    func lacksPlugin() async throws {
        let workshop = try Workshop()
        let told = Told()
        let mine = workshop.root.appending("programs/python3")
        let python = try await ManagedPython.prepare(
            requirements: Requirements(), interpreter: mine, progress: told.tell, surroundings: workshop.surroundings)
        #expect(python.interpreter == mine)
        #expect(python.plugin.path.string.hasPrefix(workshop.surroundings.folder.string))
        #expect(told.lines.contains { $0.contains("lacks the plugins") })
    }

    @Test("One that lacks Keras is refused with what is missing and how to get it")
    func lacksKeras() async throws {
        let workshop = try Workshop(files: ["how/no-keras": ""])
        do {
            _ = try await ManagedPython.prepare(
                requirements: Requirements(), interpreter: workshop.root.appending("programs/python3"),
                progress: { _ in }, surroundings: workshop.surroundings)
            Issue.record("it did not fail")
        } catch {
            #expect(error.code == .missingPackages)
            #expect(error.message.contains("No module named keras"))
            #expect(error.message.contains("-m pip install keras"))
        }
    }

    @Test(
        "One that is not there, or is no Python, is named in the error",
        arguments: ["nowhere/python", "programs/false"])
    func notThere(path: String) async throws {
        let workshop = try Workshop()
        try workshop.write("programs/false", "#!/bin/sh\necho I am no Python\nexit 1\n", executable: true)
        let interpreter = workshop.root.appending(FilePath(path).components)
        do {
            _ = try await ManagedPython.prepare(
                requirements: Requirements(), interpreter: interpreter, progress: { _ in },
                surroundings: workshop.surroundings)
            Issue.record("it did not fail")
        } catch {
            #expect(error.code == .badInterpreter)
            #expect(error.message.contains(interpreter.string))
        }
    }

    @Test("PRONGHORN_PYTHON and PRONGHORN_CPU_PLUGIN make an environment unnecessary: nothing is installed")
    func variables() async throws {
        let workshop = try Workshop(files: ["mine.so": "my plugin"])
        var surroundings = workshop.surroundings
        surroundings.environment["PRONGHORN_PYTHON"] = "\(workshop.root)/programs/python3"
        surroundings.environment["PRONGHORN_CPU_PLUGIN"] = "\(workshop.root)/mine.so"
        let python = try await ManagedPython.prepare(
            requirements: Requirements(), interpreter: nil, progress: { _ in }, surroundings: surroundings)
        #expect(python.plugin.sha256 == Digest.sha256("my plugin"))
        #expect(workshop.calls == ["facts"])
    }

    @Test("The folder of a virtual environment stands for its interpreter")
    func folder() async throws {
        let workshop = try Workshop(files: ["mine.so": "my plugin"])
        var surroundings = workshop.surroundings
        surroundings.environment["PRONGHORN_CPU_PLUGIN"] = "\(workshop.root)/mine.so"
        try FileManager.default.createDirectory(
            atPath: workshop.root.appending("venv/bin").string, withIntermediateDirectories: true)
        let interpreter = workshop.root.appending("venv/bin/python")
        try FileManager.default.createSymbolicLink(
            atPath: interpreter.string, withDestinationPath: workshop.root.appending("programs/python3").string)
        let first = try await ManagedPython.prepare(
            requirements: Requirements(), interpreter: workshop.root.appending("venv"), progress: { _ in },
            surroundings: surroundings)
        #expect(first.interpreter == interpreter)
    }

    @Test(
        "A real interpreter is checked once; changing its packages has it checked again",
        .enabled(if: ProcessInfo.processInfo.environment["PRONGHORN_TEST_PYTHON"] != nil))
    func remembered() async throws {
        let workshop = try Workshop()
        let named = try #require(ProcessInfo.processInfo.environment["PRONGHORN_TEST_PYTHON"])
        var surroundings = workshop.surroundings
        surroundings.digests = .pinned
        let (first, second) = (Told(), Told())
        let python = try await ManagedPython.prepare(
            requirements: Requirements(), interpreter: FilePath(named), progress: first.tell, surroundings: surroundings
        )
        let again = try await ManagedPython.prepare(
            requirements: Requirements(), interpreter: FilePath(named), progress: second.tell,
            surroundings: surroundings)
        #expect(first.lines.contains { $0.hasPrefix("checking") })
        #expect(second.lines.isEmpty)
        #expect(again == python)
        #expect(python.plugin.path.string.hasSuffix(PluginDigests.cpuFile))

        let memory = InterpreterMemory(folder: surroundings.folder.appending("interpreters"))
        var facts = try #require(memory.recall(FilePath(named)))
        let changing = workshop.root.appending("site-packages")
        try workshop.write("site-packages/one.py", "")
        facts.sites = [changing.string]
        memory.remember(FilePath(named), facts)
        #expect(memory.recall(FilePath(named)) != nil)
        try workshop.write("site-packages/two.py", "")
        #expect(memory.recall(FilePath(named)) == nil)
    }
}
