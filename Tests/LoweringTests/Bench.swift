import Bundles
import Foundation
import PythonEnvironment
import Synchronization
import SystemPackage

@testable import Lowering

/// A folder with a program cache, a model's file, Pronghorn's Python files, and a program that only plays at lowering.
///
/// It notes each start in the file `starts` and each request in `requests`. What it does is said by files in the folder `how`:
/// `fail` (the answer that a request ends with), `die` (it ends with this status while it works), `hang` (it never answers).
struct Bench: ~Copyable, Sendable {
    let root: FilePath
    let python: Python

    var programs: FilePath { root.appending("programs") }
    var model: FilePath { root.appending("models.py") }
    var helper: FilePath { root.appending("helper.py") }

    init() throws {
        root = FilePath(FileManager.default.temporaryDirectory.appending(path: "lowering-\(UUID().uuidString)").path)
        let tool = root.appending("tool")
        python = Python(
            interpreter: root.appending("python"), key: "environment", version: "3.12.4", sitePackages: tool,
            toolFolder: tool, plugin: PluginFile(path: "/nowhere.so", sha256: ""),
            environment: ["PATH": "/usr/bin:/bin", "PYTHONPATH": tool.string])
        try write("tool/pronghorn/lowering/__main__.py", "print()")
        try write("models.py", "def build(): ...")
        try write("helper.py", "units = 8")
        try write("python", Self.program(root))
        chmod(root.appending("python").string, 0o755)
    }

    deinit { try? FileManager.default.removeItem(atPath: root.string) }

    func write(_ path: String, _ text: String) throws {
        let file = URL(filePath: root.string).appending(path: path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    func lines(_ file: String) -> [String] {
        let text = (try? String(contentsOfFile: root.appending(file).string, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// The folders of bundles, whole or not.
    var programFolders: [String] {
        let keys = (try? FileManager.default.contentsOfDirectory(atPath: programs.string)) ?? []
        return keys.flatMap { key in
            (try? FileManager.default.contentsOfDirectory(atPath: programs.appending(key).string)) ?? []
        }
    }

    func lowerer(_ told: Told = Told()) throws -> Lowerer {
        try Lowerer(python: python, folder: programs, progress: told.tell)
    }

    var request: ProgramRequest {
        ProgramRequest(
            model: .function(file: model, name: "build", arguments: ["units": 64]),
            x: [.init(name: "x", shape: [10], dtype: "float32")], y: [.init(name: "y", shape: [1], dtype: "float32")],
            batchSize: 32)
    }

    private static func program(_ root: FilePath) -> String {
        #"""
        #!/bin/sh
        root='\#(root)'
        echo "$$" >> "$root/starts"
        echo "a word on standard error" >&2
        describe() {
            mkdir -p "$folder"
            echo '{}' > "$folder/request.json"
            echo template > "$folder/template.keras"
            template=$(sha256sum "$folder/template.keras" | cut -d' ' -f1)
            asked=$(sha256sum "$folder/request.json" | cut -d' ' -f1)
            helper=$(sha256sum "$root/helper.py" | cut -d' ' -f1)
            model=$(sha256sum "$root/models.py" | cut -d' ' -f1)
            entries=""
            write
        }
        write() {
            cat > "$folder/program.json.new" <<END
        {"version": 2, "name": "sequential", "keras": "3.15.1", "jax": "0.10.2", "stablehlo": "1.13.0", "batch_size": 32,
        "draws": 2, "inputs": [], "outputs": [], "state": [], "logs": ["loss"], "evaluate_logs": ["loss"], "directions": {}, "parameters": [],
        "trainable_parameters": 705, "has_convolution": false, "finalizes": false,
        "sources": [{"path": "$root/models.py", "sha256": "$model"}, {"path": "$root/helper.py", "sha256": "$helper"}],
        "files": {"template.keras": "$template", "request.json": "$asked"}, "notes": [], "functions": [$entries]}
        END
            mv "$folder/program.json.new" "$folder/program.json"
        }
        while read -r line; do
            printf '%s\n' "$line" >> "$root/requests"
            id=$(printf '%s' "$line" | sed 's/.*"id":\([0-9]*\).*/\1/')
            folder=$(printf '%s' "$line" | sed 's/.*"output":"\([^"]*\)".*/\1/')
            if [ -e "$root/how/hang" ]; then sleep 600; fi
            if [ -e "$root/how/die" ]; then mkdir -p "$folder"; exit "$(cat "$root/how/die")"; fi
            if [ -e "$root/how/fail" ]; then
                mkdir -p "$folder"
                echo "{\"id\": $id, $(cat "$root/how/fail")}"
                continue
            fi
            echo "{\"id\": $id, \"event\": \"progress\", \"message\": \"building the model\"}"
            case "$line" in
                *'"do":"describe"'*) describe ;;
                *'"do":"start"'*)
                    mkdir -p "$folder/starts"
                    digest=$(printf '%s' "$line" | sed 's/.*"sha256":"\([^"]*\)".*/\1/')
                    cp "$root/state.safetensors" "$folder/starts/$digest.safetensors" ;;
                *)
                    for lanes in $(printf '%s' "$line" | grep -o '"lanes":[0-9]*' | cut -d: -f2); do
                        echo "code for $lanes" > "$folder/train-v${lanes}x31x32.mlirbc"
                        digest=$(sha256sum "$folder/train-v${lanes}x31x32.mlirbc" | cut -d' ' -f1)
                        [ -z "$entries" ] || entries="$entries, "
                        entries="$entries{\"name\": \"train\", \"lanes\": $lanes, \"steps\": 31, \"rows\": 32,
                            \"form\": \"vectorized\", \"file\": \"train-v${lanes}x31x32.mlirbc\", \"sha256\": \"$digest\"}"
                    done
                    write ;;
            esac
            echo "{\"id\": $id, \"event\": \"done\", \"seconds\": 0.1}"
        done
        echo closed >> "$root/ends"
        """#
    }
}

/// Keeps what was told.
final class Told: Sendable {
    private let kept = Mutex<[String]>([])

    var lines: [String] { kept.withLock { $0 } }

    var tell: @Sendable (String) -> Void {
        { [self] line in kept.withLock { $0.append(line) } }
    }
}
