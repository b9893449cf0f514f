import Foundation
import SystemPackage

/// A folder that stands for a machine: `/proc`, `/sys` and a folder of programs with an `nvidia-smi` that answers from recordings.
struct MachineFolder: ~Copyable {
    let root: FilePath

    init(gpus: String? = nil, processes: String = "", list: String = "", xml: String = "", failure: String? = nil) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "machine-\(UUID().uuidString)")
        root = FilePath(folder.path)
        write("proc/self/status", "Name:\tpronghorn\nCpus_allowed:\tff\nCpus_allowed_list:\t0-3,8-11\n")
        write("proc/self/cgroup", "0::/slurm/job_7\n")
        write("proc/cpuinfo", "processor\t: 0\nmodel name\t: AMD EPYC 9654 96-Core Processor\n")
        write("proc/meminfo", "MemTotal:       65536000 kB\nMemFree:  1 kB\nMemAvailable:   60000000 kB\n")
        write("sys/bus/pci/devices/0000:1b:00.0/local_cpulist", "0-3,16-19\n")
        write("sys/bus/pci/devices/0000:43:00.0/local_cpulist", "8-15\n")
        guard gpus != nil || failure != nil else { return }
        write("gpus.csv", gpus ?? "")
        write("processes.csv", processes)
        write("list.txt", list)
        write("query.xml", xml)
        let end = failure.map { "echo '\($0)'; exit 9" } ?? ""
        write(
            "bin/nvidia-smi",
            """
            #!/bin/sh
            \(end)
            case "$1" in
                --query-gpu=*) exec /bin/cat '\(root)/gpus.csv' ;;
                --query-compute-apps=*) exec /bin/cat '\(root)/processes.csv' ;;
                -L) exec /bin/cat '\(root)/list.txt' ;;
                -q) exec /bin/cat '\(root)/query.xml' ;;
            esac
            exit 6
            """)
        chmod(root.appending("bin/nvidia-smi").string, 0o755)
    }

    deinit { try? FileManager.default.removeItem(atPath: root.string) }

    /// An environment in which the recorded `nvidia-smi` is the only program.
    func environment(_ more: [String: String] = [:]) -> [String: String] {
        ["PATH": root.appending("bin").string].merging(more) { $1 }
    }

    func write(_ path: String, _ text: String) {
        let file = URL(filePath: root.string).appending(path: path)
        try? FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try? Data(text.utf8).write(to: file)
    }
}
