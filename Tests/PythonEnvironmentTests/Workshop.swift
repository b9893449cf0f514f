import Files
import Foundation
import Synchronization
import SystemPackage

@testable import PythonEnvironment

/// A folder with a cache, Pronghorn's Python files and a `python3` on `PATH` that only plays at being one.
///
/// What it does is said by files in the folder `how`: `fail-pip` (what pip prints before it fails), `slow` (it takes a while),
/// `no-venv`, `old`, `no-keras`, `has-tensorflow`. Each call of it is noted in the file `calls`.
struct Workshop: ~Copyable {
    let root: FilePath
    let surroundings: Surroundings

    init(files: [String: String] = [:], variables: [String: String] = [:]) throws {
        root = FilePath(FileManager.default.temporaryDirectory.appending(path: "python-\(UUID().uuidString)").path)
        let plugin = "a plugin"
        surroundings = Surroundings(
            environment: ["PATH": "\(root)/programs:/usr/bin:/bin", "HOME": "\(root)"].merging(variables) { $1 },
            folder: root.appending("cache/python"), toolFolder: root.appending("tool"),
            digests: PluginDigests(cpu: Digest.sha256(plugin), cuda: [.cuda13: Digest.sha256(plugin)], jax: "0.10.2"))
        try write("tool/requirements.txt", "# pinned\nkeras==3.15.1\njax==0.10.2\nxla_cpu_pjrt==0.0.1\n")
        try write("tool/requirements-tensorflow.txt", "keras==3.15.1\ntensorflow_cpu==2.21.0\n")
        try write("tool/pronghorn/lowering/__init__.py", "")
        try write("programs/python3", Self.program(root), executable: true)
        for (path, text) in files { try write(path, text) }
    }

    deinit { try? FileManager.default.removeItem(atPath: root.string) }

    func write(_ path: String, _ text: String, executable: Bool = false) throws {
        let file = URL(filePath: root.string).appending(path: path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
        if executable { chmod(file.path, 0o755) }
    }

    /// The lines of the file `calls`: what the pretended Python was started for.
    var calls: [String] {
        let text = (try? String(contentsOfFile: root.appending("calls").string, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// The names in the folder of environments.
    var environments: [String] { (try? Folder.list(surroundings.folder)) ?? [] }

    private static func program(_ root: FilePath) -> String {
        #"""
        #!/bin/sh
        root='\#(root)'
        self="$0"
        packages="$(dirname "$(dirname "$self")")/lib/python3.12/site-packages"
        case "$1 $2" in
            "-c import importlib.util"*)
                echo probe >> "$root/calls"
                if [ -e "$root/how/old" ]; then echo 3 9 1
                elif [ -e "$root/how/no-venv" ]; then echo 3 12 0
                else echo 3 12 1; fi ;;
            "-m venv")
                echo venv >> "$root/calls"
                mkdir -p "$3/bin" "$3/lib/python3.12/site-packages"
                cp "$self" "$3/bin/python" ;;
            "-m pip")
                echo pip >> "$root/calls"
                if [ -e "$root/how/fail-pip" ]; then cat "$root/how/fail-pip" >&2; exit 1; fi
                if [ -e "$root/how/slow" ]; then sleep 0.5; fi
                echo 'Collecting keras==3.15.1'
                echo '  Downloading keras-3.15.1-py3-none-any.whl (1.5 MB)'
                echo 'Collecting jax==0.10.2'
                echo 'Installing collected packages: keras, jax, xla_cpu_pjrt'
                mkdir -p "$packages/xla_plugins/xla_cpu_pjrt" "$packages/jax_plugins/xla_cuda13"
                printf '%s' "$(cat "$root/how/plugin" 2>/dev/null || echo 'a plugin')" \
                    > "$packages/xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so"
                printf 'a plugin' > "$packages/jax_plugins/xla_cuda13/xla_cuda_plugin.so" ;;
            "-c import importlib.metadata"*)
                if [ "$KERAS_BACKEND" = jax ]; then echo facts; else echo "facts $KERAS_BACKEND"; fi >> "$root/calls"
                problems='{}'
                case "$3,$self" in *tensorflow*"$root/programs/python3")
                    if [ ! -e "$root/how/has-tensorflow" ]; then
                        problems='{"tensorflow": "ModuleNotFoundError: No module named tensorflow"}'
                    fi ;;
                esac
                if [ -e "$root/how/no-keras" ]; then problems='{"keras": "ModuleNotFoundError: No module named keras"}'; fi
                plugins='{}'
                if [ -e "$packages/xla_plugins" ]; then
                    plugins='{"xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so": "'$packages'/xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so"}'
                fi
                echo 'a print of somebody'
                echo 'FACTS {"python": "3.12.4", "executable": "'$self'", "site": "'$packages'", "sites": [],
                "versions": {"keras": "3.15.1", "jax": "0.10.2"}, "problems": '$problems',
                "distributions": ["keras==3.15.1"], "plugins": '$plugins'}' | tr -d '\n'
                echo ;;
            *) exit 64 ;;
        esac
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
