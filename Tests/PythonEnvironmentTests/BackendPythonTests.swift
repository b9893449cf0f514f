import Files
import Foundation
import SystemPackage
import Testing

@testable import PythonEnvironment

@Suite("The Python of a backend that lowering does not need")
struct BackendPythonTests {
    func prepare(
        _ workshop: borrowing Workshop, _ requirements: Requirements = Requirements(), interpreter: FilePath? = nil,
        variables: [String: String] = [:], makes: Bool = true
    ) async throws -> BackendPython {
        var surroundings = workshop.surroundings
        surroundings.environment.merge(variables) { $1 }
        return try await ManagedPython.prepare(
            .tensorflow, requirements: requirements, interpreter: interpreter, progress: { _ in },
            surroundings: surroundings, makes: makes)
    }

    @Test("It is an environment of its own with its own pinned packages, made when it is first asked for and then kept")
    func managed() async throws {
        let workshop = try Workshop()
        let python = try await prepare(workshop, Requirements(further: ["pandas"]))
        #expect(workshop.calls == ["probe", "venv", "pip", "facts tensorflow"])
        let folder = python.interpreter.removingLastComponent().removingLastComponent()
        let list = try String(contentsOfFile: folder.appending("requirements.txt").string, encoding: .utf8)
        #expect(list == "keras==3.15.1\ntensorflow_cpu==2.21.0\npandas\n")
        #expect(python.environment["KERAS_BACKEND"] == "tensorflow")
        #expect(python.environment["PYTHONPATH"] == workshop.surroundings.toolFolder.string)
        #expect(try await prepare(workshop, Requirements(further: ["pandas"])) == python)
        #expect(workshop.calls.count == 4)
    }

    @Test("Where there is a GPU, TensorFlow brings NVIDIA's libraries")
    func cuda() async throws {
        let workshop = try Workshop()
        let python = try await prepare(workshop, Requirements(accelerators: [.cuda(driver: "580.65")]))
        let folder = python.interpreter.removingLastComponent().removingLastComponent()
        let list = try String(contentsOfFile: folder.appending("requirements.txt").string, encoding: .utf8)
        #expect(list == "keras==3.15.1\ntensorflow[and-cuda]==2.21.0\n")
    }

    @Test("The user's interpreter serves if it has the backend, and is left alone if not")
    func interpreter() async throws {
        let workshop = try Workshop()
        let mine = workshop.root.appending("programs/python3")
        let other = try await prepare(workshop, interpreter: mine)
        #expect(other.interpreter != mine)
        try workshop.write("how/has-tensorflow", "")
        let python = try await prepare(workshop, interpreter: mine)
        #expect(python.interpreter == mine)
        #expect(python.environment["KERAS_BACKEND"] == "tensorflow")
    }

    @Test("PRONGHORN_TENSORFLOW_PYTHON comes before all others, and must have it")
    func variable() async throws {
        let workshop = try Workshop(files: ["how/has-tensorflow": ""])
        let variables = ["PRONGHORN_TENSORFLOW_PYTHON": "\(workshop.root)/programs/python3"]
        let python = try await prepare(workshop, interpreter: "/nowhere", variables: variables)
        #expect(python.interpreter == workshop.root.appending("programs/python3"))
        try FileManager.default.removeItem(atPath: "\(workshop.root)/how/has-tensorflow")
        do {
            _ = try await prepare(workshop, variables: variables)
            Issue.record("it did not fail")
        } catch let error as PythonEnvironmentError {
            #expect(error.code == .missingPackages)
            #expect(error.message.contains("No module named tensorflow"))
        }
    }

    @Test("Looking for it makes nothing")
    func find() async throws {
        let workshop = try Workshop()
        do {
            _ = try await prepare(workshop, makes: false)
            Issue.record("it did not fail")
        } catch let error as PythonEnvironmentError {
            #expect(error.code == .notMade)
        }
        #expect(workshop.calls == [])
    }

    @Test("The packages of each backend are pinned, and so are those that they need")
    func pinned() throws {
        let surroundings = try Surroundings.current()
        for backend in KerasBackend.allCases {
            let lines = try surroundings.pinnedRequirements(backend.requirementsFile)
            #expect(lines.allSatisfy { $0.contains("==") }, "\(backend)")
            #expect(lines.contains("keras==3.15.1"))
            #expect(lines.contains("numpy==2.4.6"), "the same NumPy draws the same orders")
        }
    }
}
