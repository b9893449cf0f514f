import Foundation
import SystemPackage
import Testing

@testable import PythonEnvironment

@Suite("What Python's processes inherit, where Pronghorn's files are, what installers say")
struct SmallerTests {
    @Test("Variables that would change a model, or where packages come from, do not reach the lowering process")
    func scrubbed() {
        let variables = ChildEnvironment.lowering(
            [
                "PATH": "/bin", "HOME": "/h", "LC_ALL": "C", "CUDA_VISIBLE_DEVICES": "1", "XLA_FLAGS": "--x",
                "PYTHONPATH": "/evil", "PYTHONSTARTUP": "/evil", "VIRTUAL_ENV": "/v", "KERAS_BACKEND": "torch",
                "HTTPS_PROXY": "p", "PIP_INDEX_URL": "i", "JAX_ENABLE_X64": "1",
            ], toolFolder: "/tool")
        #expect(
            variables == [
                "PATH": "/bin", "HOME": "/h", "LC_ALL": "C", "CUDA_VISIBLE_DEVICES": "1", "PYTHONPATH": "/tool",
                "PYTHONHASHSEED": "0", "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "2",
            ])
    }

    @Test("The user's proxies and mirrors reach the installer; what would lead it elsewhere does not")
    func installing() {
        let variables = ChildEnvironment.installing([
            "PATH": "/bin", "HTTPS_PROXY": "p", "PIP_INDEX_URL": "i", "UV_INDEX_URL": "u", "PIP_TARGET": "/elsewhere",
            "PYTHONPATH": "/evil", "VIRTUAL_ENV": "/v",
        ])
        #expect(
            variables["HTTPS_PROXY"] == "p" && variables["PIP_INDEX_URL"] == "i" && variables["UV_INDEX_URL"] == "u")
        #expect(variables["PIP_TARGET"] == nil && variables["PYTHONPATH"] == nil && variables["VIRTUAL_ENV"] == nil)
    }

    @Test("Pronghorn's Python files are found from an installation, from a checkout and where the variable says")
    func toolFolder() throws {
        let workshop = try Workshop()
        let root = workshop.root
        for folder in ["installed/share/pronghorn/python", "checkout/python"] {
            try workshop.write("\(folder)/requirements.txt", "")
            try workshop.write("\(folder)/pronghorn/lowering/__init__.py", "")
        }
        func find(_ executable: String, _ variables: [String: String] = [:]) throws -> FilePath {
            try ToolFolder.find(
                environment: variables, executable: root.appending(FilePath(executable).components),
                source: "/nowhere/at/all.swift")
        }
        #expect(try find("installed/bin/pronghorn") == root.appending("installed/share/pronghorn/python"))
        #expect(try find("checkout/.build/release/pronghorn") == root.appending("checkout/python"))
        #expect(
            try find("elsewhere/pronghorn", ["PRONGHORN_PYTHON_PATH": "\(root)/checkout/python"])
                == root.appending("checkout/python"))
        let missing = #expect(throws: PythonEnvironmentError.self) { try find("elsewhere/pronghorn") }
        #expect(missing?.code == .noToolFolder)
        let wrong = #expect(throws: PythonEnvironmentError.self) {
            try find("installed/bin/pronghorn", ["PRONGHORN_PYTHON_PATH": "/nowhere"])
        }
        #expect(wrong?.message.contains("/nowhere") == true)
    }

    @Test("In a checkout, the files are found without any help")
    func thisCheckout() throws {
        #expect(try ToolFolder.find().lastComponent?.string == "python")
    }

    @Test("What uv prints is passed on as progress too")
    func uvProgress() {
        var progress = InstallProgress(expected: 20)
        #expect(progress.message(for: "Resolved 25 packages in 312ms") == "resolved 25 packages")
        #expect(progress.message(for: "Downloading jaxlib (80.1MiB)") == "downloading jaxlib (80.1MiB)")
        #expect(progress.message(for: "Installed 25 packages in 48ms") == "installed 25 packages")
        #expect(progress.message(for: " + keras==3.15.1") == nil)
        #expect(progress.message(for: "Using CPython 3.12.4") == nil)
    }

    @Test(
        "A real environment is made from the packages' server and holds the pinned plugin",
        .enabled(if: ProcessInfo.processInfo.environment["PRONGHORN_TEST_ENVIRONMENT"] != nil))
    func realEnvironment() async throws {
        let workshop = try Workshop()
        var surroundings = try Surroundings.current()
        surroundings.folder = workshop.surroundings.folder
        surroundings.environment["PRONGHORN_PYTHON"] = nil
        let told = Told()
        let python = try await ManagedPython.prepare(
            requirements: Requirements(), interpreter: nil, progress: told.tell, surroundings: surroundings)
        #expect(python.plugin.sha256 == PluginDigests.pinned.cpu)
        #expect(told.lines.contains { $0.hasPrefix("the Python environment is ready") })
    }
}
