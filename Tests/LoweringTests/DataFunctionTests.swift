import Foundation
import PythonEnvironment
import SystemPackage
import Testing

@testable import Lowering

/// A folder with a data function's file, a table that it reads, and a program that only plays at calling it.
///
/// It notes each start in the file `starts`, with its working directory. `how/fail` is the answer that it ends with instead
/// of an array, `how/die` the status with which it ends without an answer.
private struct DataBench: ~Copyable, Sendable {
    let root: FilePath
    let python: Python

    var cache: FilePath { root.appending("functions") }
    var function: DataFunction { DataFunction(file: root.appending("data.py"), name: "load", folder: root) }

    init() throws {
        root = FilePath(FileManager.default.temporaryDirectory.appending(path: "data-\(UUID().uuidString)").path)
        let tool = root.appending("tool")
        python = Python(
            interpreter: root.appending("python"), key: "environment", version: "3.12.4", sitePackages: tool,
            toolFolder: tool, plugin: PluginFile(path: "/nowhere.so", sha256: ""),
            environment: ["PATH": "/usr/bin:/bin"])
        try write("tool/pronghorn/prepare_data.py", "print()")
        try write("tool/pronghorn/prepared.py", "print()")
        try write("tool/pronghorn/draining.py", "print()")
        try write("data.py", "def load(): ...")
        try write("table.csv", "1,2")
        try write(
            "python",
            #"""
            #!/bin/sh
            root='\#(root)'
            echo "$PWD $2 $4" >> "$root/starts"
            echo "a word on standard error" >&2
            echo "a line that is no answer"
            echo half > "$5/x.npy"
            if [ -e "$root/how/die" ]; then exit "$(cat "$root/how/die")"; fi
            if [ -e "$root/how/hang" ]; then exec sleep 600; fi
            if [ -e "$root/how/fail" ]; then cat "$root/how/fail"; exit 0; fi
            digest=$(sha256sum "$root/table.csv" | cut -d' ' -f1)
            cat > "$5/data.json" <<END
            {"arrays": [{"name": "x", "role": "x", "file": "x.npy", "shape": [1], "dtype": "float32", "bytes": 5}],
             "sources": [{"path": "$root/table.csv", "sha256": "$digest", "stamp": null}]}
            END
            echo '{"event": "done", "seconds": 0.1}'
            """#)
        chmod(root.appending("python").string, 0o755)
    }

    deinit { try? FileManager.default.removeItem(atPath: root.string) }

    func write(_ path: String, _ text: String) throws {
        let file = URL(filePath: root.string).appending(path: path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    var starts: [String] {
        let text = (try? String(contentsOfFile: root.appending("starts").string, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// What is in the cache: for each key, the names in its folder.
    var kept: [[String]] {
        let manager = FileManager.default
        let keys = ((try? manager.contentsOfDirectory(atPath: cache.string)) ?? []).filter { !$0.hasSuffix(".lock") }
        return keys.map { ((try? manager.contentsOfDirectory(atPath: cache.appending($0).string)) ?? []).sorted() }
    }

    func prepare(_ told: Told = Told()) async throws -> FilePath {
        try await DataFunctions.prepare(function, python: python, cache: cache, progress: told.tell)
    }
}

@Suite("Data functions")
struct DataFunctionTests {
    @Test(
        "A second run starts no Python; an edited file or table does, and the older arrays stay for whoever maps them")
    func once() async throws {
        let bench = try DataBench()
        let told = Told()
        let first = try await bench.prepare(told)
        #expect(FileManager.default.fileExists(atPath: first.appending("data.json").string))
        #expect(told.lines == ["calling load of data.py for the data"])
        #expect(try await bench.prepare() == first)
        #expect(bench.starts == ["\(bench.root) pronghorn.prepare_data load"])

        try bench.write("table.csv", "1,3")
        let second = try await bench.prepare()
        #expect(second != first)
        #expect(bench.kept == [["1", "2"]])
        // What was before is used again when the file is as it was.
        try bench.write("table.csv", "1,2")
        #expect(try await bench.prepare() == first)
        #expect(bench.starts.count == 2)

        try bench.write("data.py", "def load(): pass")
        #expect(try await bench.prepare().removingLastComponent() != first.removingLastComponent())
        #expect(bench.starts.count == 3)
    }

    @Test("An array that is gone from the cache is made again")
    func incomplete() async throws {
        let bench = try DataBench()
        let first = try await bench.prepare()
        try FileManager.default.removeItem(atPath: first.appending("x.npy").string)
        #expect(try await bench.prepare() != first)
        #expect(bench.starts.count == 2)
    }

    @Test("An array that a loss of power has torn is made again", arguments: ["", "ha", "half and more"])
    func torn(contents: String) async throws {
        let bench = try DataBench()
        let first = try await bench.prepare()
        try Data(contents.utf8).write(to: URL(filePath: first.appending("x.npy").string))
        let second = try await bench.prepare()
        #expect(second != first)
        #expect(try await bench.prepare() == second)
        #expect(bench.starts.count == 2)
    }

    @Test("Two runs at once call the function once")
    func together() async throws {
        let bench = try DataBench()
        let (function, python, cache) = (bench.function, bench.python, bench.cache)
        let folders = try await withThrowingTaskGroup(of: FilePath.self) { group in
            for _ in 0..<4 {
                group.addTask { try await DataFunctions.prepare(function, python: python, cache: cache) }
            }
            return try await group.reduce(into: Set<FilePath>()) { $0.insert($1) }
        }
        #expect(folders.count == 1)
        #expect(bench.starts.count == 1)
    }

    @Test("A function that raises names the user's line and leaves nothing behind")
    func raises() async throws {
        let bench = try DataBench()
        try bench.write(
            "how/fail",
            #"{"event": "failed", "code": "function_raised", "message": "load raised X", "file": "/a/data.py", "line": 3}"#
        )
        let error = await #expect(throws: LoweringError.self) { try await bench.prepare() }
        #expect(error?.code == .functionRaised)
        #expect(error?.description == "/a/data.py:3: load raised X")
        #expect(bench.kept == [[]])
        try FileManager.default.removeItem(atPath: bench.root.appending("how/fail").string)
        #expect(try await bench.prepare().lastComponent == "1")
    }

    @Test("A Python that dies is reported with its last words; what it left half-made is never used")
    func dies() async throws {
        let bench = try DataBench()
        try bench.write("how/die", "3")
        let error = await #expect(throws: LoweringError.self) { try await bench.prepare() }
        #expect(error?.code == .processEnded)
        #expect(error?.message.contains("a word on standard error") == true)
        #expect(bench.kept == [[]])
    }

    @Test("What a killed run left half-made is removed by the next")
    func killed() async throws {
        let bench = try DataBench()
        let first = try await bench.prepare()
        let draft = first.removingLastComponent().appending("draft-of-a-killed-run")
        try FileManager.default.createDirectory(atPath: draft.string, withIntermediateDirectories: true)
        try bench.write("table.csv", "other")
        _ = try await bench.prepare()
        #expect(bench.kept == [["1", "2"]])
    }

    @Test("Giving up ends the Python process and leaves nothing behind")
    func cancelled() async throws {
        let bench = try DataBench()
        try bench.write("how/hang", "")
        let (function, python, cache) = (bench.function, bench.python, bench.cache)
        let task = Task { try await DataFunctions.prepare(function, python: python, cache: cache) }
        while bench.starts.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        let error = await #expect(throws: LoweringError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(bench.kept == [[]])
    }

    @Test("A file that is not there is named")
    func missing() async throws {
        let bench = try DataBench()
        try FileManager.default.removeItem(atPath: bench.function.file.string)
        let error = await #expect(throws: LoweringError.self) { try await bench.prepare() }
        #expect(error?.code == .noSuchFile)
        #expect(error?.file == bench.function.file)
    }
}

@Suite(
    "Calling a real data function",
    .enabled(if: ProcessInfo.processInfo.environment["PRONGHORN_TEST_PYTHON"] != nil))
struct RealDataFunctionTests {
    @Test("Its arrays are kept, and a file beside it that it reads is watched")
    func call() async throws {
        let bench = try DataBench()
        let tool = try ToolFolder.find()
        var python = bench.python
        python.interpreter = FilePath(ProcessInfo.processInfo.environment["PRONGHORN_TEST_PYTHON"] ?? "")
        python.toolFolder = tool
        python.environment["PYTHONPATH"] = tool.string
        try bench.write(
            "data.py",
            """
            import numpy
            def load():
                print("a print of the user's")
                return {"x": numpy.loadtxt("table.csv", delimiter=",", ndmin=2)}
            """)
        let first = try await DataFunctions.prepare(bench.function, python: python, cache: bench.cache)
        #expect(FileManager.default.fileExists(atPath: first.appending("x.npy").string))
        #expect(try await DataFunctions.prepare(bench.function, python: python, cache: bench.cache) == first)
        try bench.write("table.csv", "1,2\n3,4")
        #expect(try await DataFunctions.prepare(bench.function, python: python, cache: bench.cache) != first)
        try bench.write("table.csv", "1,two")
        let error = await #expect(throws: LoweringError.self) {
            try await DataFunctions.prepare(bench.function, python: python, cache: bench.cache)
        }
        #expect(error?.code == .functionRaised)
        #expect(error?.file?.lastComponent == "data.py")
        #expect(error?.line == 4)
    }
}
