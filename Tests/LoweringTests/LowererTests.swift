import Bundles
import Foundation
import PythonEnvironment
import SystemPackage
import TensorFiles
import Testing

@testable import Lowering

@Suite("Programs, from the cache or from Python")
struct LowererTests {
    private func train(_ lanes: Int) -> FunctionRequest { FunctionRequest(.train, lanes: lanes, steps: 31, rows: 32) }

    @Test("The second run takes everything from the cache and starts no Python")
    func secondRun() async throws {
        let bench = try Bench()
        let told = Told()
        let first = try bench.lowerer(told)
        let described = try await first.describe(bench.request)
        let lowered = try await first.lower([train(64)], in: described)
        await first.close()
        #expect(lowered.function(train(64))?.file == "train-v64x31x32.mlirbc")
        #expect(lowered.description.trainableParameters == 705)
        #expect(lowered.digest == described.digest)
        #expect(told.lines.contains("building the model"))
        #expect(bench.lines("ends") == ["closed"])

        let second = try bench.lowerer()
        let again = try await second.lower([train(64)], in: try await second.describe(bench.request))
        #expect(again == lowered)
        #expect(await !second.startedPython)
        #expect(bench.lines("starts").count == 1)
        await second.close()
    }

    @Test("One Python process serves every request of a run")
    func oneProcess() async throws {
        let bench = try Bench()
        let lowerer = try bench.lowerer()
        let request = bench.request
        let other = ProgramRequest(model: request.model, x: request.x, y: request.y, batchSize: 16)
        async let one = lowerer.describe(request)
        async let two = lowerer.describe(other)
        let (a, b) = try await (one, two)
        #expect(a.folder != b.folder)
        _ = try await lowerer.lower([train(1), train(4)], in: a)
        #expect(bench.lines("starts").count == 1)
        #expect(bench.lines("requests").count == 3)
        await lowerer.close()
    }

    @Test("A function that is there is not lowered again; only what is missing is asked for")
    func onlyMissing() async throws {
        let bench = try Bench()
        let lowerer = try bench.lowerer()
        let bundle = try await lowerer.lower([train(4)], in: try await lowerer.describe(bench.request))
        let both = try await lowerer.lower([train(4), train(16)], in: bundle)
        #expect(both.description.functions.map(\.lanes) == [4, 16])
        #expect(bench.lines("requests").last?.contains("\"lanes\":4,") == false)
        // A bundle read before the other was added is no reason to lower anything either.
        _ = try await lowerer.lower([train(16)], in: bundle)
        #expect(bench.lines("requests").count == 3)
        await lowerer.close()
    }

    @Test("A program without an end of its own needs no finalize")
    func noFinalize() async throws {
        let bench = try Bench()
        let lowerer = try bench.lowerer()
        let bundle = try await lowerer.describe(bench.request)
        _ = try await lowerer.lower([FunctionRequest(.finalize, lanes: 4)], in: bundle)
        #expect(bench.lines("requests").count == 1)
        await lowerer.close()
    }

    @Test(
        "An edited model, or an edited module that it imports, is lowered anew, and a run that uses the old one goes on"
    )
    func editedSources() async throws {
        let bench = try Bench()
        let lowerer = try bench.lowerer()
        let first = try await lowerer.describe(bench.request)
        try bench.write("helper.py", "units = 16")
        let second = try await lowerer.describe(bench.request)
        #expect(second.folder != first.folder)
        #expect(second.digest != first.digest)
        #expect(FileManager.default.fileExists(atPath: first.folder.appending("program.json").string))
        // Back to the first state of the files, the first program serves again.
        try bench.write("helper.py", "units = 8")
        #expect(try await lowerer.describe(bench.request) == first)
        try bench.write("models.py", "def build(): pass")
        #expect(
            try await lowerer.describe(bench.request).folder.removingLastComponent()
                != first.folder.removingLastComponent())
        #expect(bench.lines("requests").count == 3)
        await lowerer.close()
    }

    @Test(
        "A damaged program is set aside and made anew, never used",
        arguments: ["program.json", "train-v4x31x32.mlirbc", "template.keras", "request.json"], [nil, "", "rubbish"])
    func damaged(file: String, contents: String?) async throws {
        let bench = try Bench()
        let told = Told()
        let lowerer = try bench.lowerer(told)
        let first = try await lowerer.lower([train(4)], in: try await lowerer.describe(bench.request))
        let place = first.folder.appending(file)
        if let contents {
            try Data(contents.utf8).write(to: URL(filePath: place.string))
        } else {
            try FileManager.default.removeItem(atPath: place.string)
        }
        #expect(Bundle.cached(in: first.folder, digest: first.digest) == nil)
        let second = try await lowerer.describe(bench.request)
        #expect(second.isWhole)
        #expect(second.description.functions.isEmpty)
        #expect(FileManager.default.fileExists(atPath: "\(first.folder).damaged-1"))
        #expect(told.lines.contains { $0.contains("is damaged") })
        await lowerer.close()
    }

    @Test("The state of a starting point that a loss of power has torn is read anew", arguments: [0, 100, 400])
    func tornState(bytes: Int) async throws {
        let bench = try Bench()
        try bench.write("start.weights.h5", "weights")
        let numbers = [Float](repeating: 1, count: 100)
        try numbers.withUnsafeBytes {
            try Safetensors.write(
                [(name: "state/0000", dtype: .float32, shape: [1, 100], bytes: $0)],
                to: bench.root.appending("state.safetensors"))
        }
        let whole = try Data(contentsOf: URL(filePath: bench.root.appending("state.safetensors").string))
        let lowerer = try bench.lowerer()
        let bundle = try await lowerer.describe(bench.request)
        let file = bench.root.appending("start.weights.h5")
        let state = try #require(try await lowerer.starts(from: [file], of: bundle)[file])
        #expect(try await lowerer.starts(from: [file], of: bundle) == [file: state])
        #expect(bench.lines("requests").count == 2)
        // The file has its size, and what had not reached the disk is zeros.
        let place = URL(filePath: state.string)
        try (whole.prefix(bytes) + Data(count: whole.count - bytes)).write(to: place)
        #expect(try await lowerer.starts(from: [file], of: bundle) == [file: state])
        #expect(try Data(contentsOf: place) == whole)
        #expect(bench.lines("requests").count == 3)
        await lowerer.close()
    }

    @Test("What fails says where in the user's file, and leaves nothing behind")
    func failed() async throws {
        let bench = try Bench()
        try bench.write(
            "how/fail",
            #""event": "failed", "code": "build_raised", "message": "ValueError: no", "file": "/m.py", "line": 7, "detail": "Traceback", "splits": "seed""#
        )
        let lowerer = try bench.lowerer()
        do {
            _ = try await lowerer.describe(bench.request)
            Issue.record("it did not fail")
        } catch {
            #expect(error.code == .buildRaised)
            #expect(error.description == "/m.py:7: ValueError: no")
            #expect(error.detail == "Traceback")
            #expect(error.splits == "seed")
        }
        #expect(bench.programFolders.isEmpty)
        try FileManager.default.removeItem(atPath: bench.root.appending("how/fail").string)
        _ = try await lowerer.describe(bench.request)
        #expect(bench.lines("starts").count == 1)
        await lowerer.close()
    }

    @Test("A Python that dies gives one error with its last words, and the next request starts another")
    func died() async throws {
        let bench = try Bench()
        try bench.write("how/die", "3")
        let lowerer = try bench.lowerer()
        do {
            _ = try await lowerer.describe(bench.request)
            Issue.record("it did not fail")
        } catch {
            #expect(error.code == .processEnded)
            #expect(error.message.contains("status 3"))
            #expect(error.message.contains("a word on standard error"))
        }
        try FileManager.default.removeItem(atPath: bench.root.appending("how/die").string)
        _ = try await lowerer.describe(bench.request)
        #expect(bench.lines("starts").count == 2)
        await lowerer.close()
    }

    @Test("A Python that cannot be started is an error, not a wait for ever")
    func cannotStart() async throws {
        let bench = try Bench()
        var python = bench.python
        python.interpreter = "/nowhere/python"
        let lowerer = try Lowerer(python: python, folder: bench.programs)
        do {
            _ = try await lowerer.describe(bench.request)
            Issue.record("it did not fail")
        } catch {
            #expect(error.code == .processEnded)
        }
    }

    @Test("Giving up ends the Python process")
    func cancelled() async throws {
        let bench = try Bench()
        try bench.write("how/hang", "")
        let lowerer = try bench.lowerer()
        let request = bench.request
        let work = Task { try await lowerer.describe(request) }
        while bench.lines("requests").isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        work.cancel()
        do {
            _ = try await work.value
            Issue.record("it did not fail")
        } catch {
            #expect((error as? LoweringError)?.code == .cancelled)
        }
        let pid = try #require(bench.lines("starts").first.flatMap { Int32($0) })
        #expect(kill(pid, 0) == -1)
    }

    @Test("Two runs that need the same program make it once")
    func twoAtOnce() async throws {
        let bench = try Bench()
        let (one, two, request) = (try bench.lowerer(), try bench.lowerer(), bench.request)
        async let first = one.describe(request)
        async let second = two.describe(request)
        let (a, b) = try await (first, second)
        #expect(a == b)
        #expect(bench.lines("requests").count == 1)
        await one.close()
        await two.close()
    }

    @Test("A model's file that is not there is named at once, without starting Python")
    func noFile() async throws {
        let bench = try Bench()
        let lowerer = try bench.lowerer()
        var request = bench.request
        request.model = .keras(file: bench.root.appending("missing.keras"))
        do {
            _ = try await lowerer.describe(request)
            Issue.record("it did not fail")
        } catch {
            #expect(error.code == .noSuchFile)
            #expect(error.file?.lastComponent == "missing.keras")
        }
        #expect(await !lowerer.startedPython)
    }
}
