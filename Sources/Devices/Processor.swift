import SystemPackage

/// Reads what Linux says about the processor and the memory, below a root folder.
enum Processor {
    /// Reads `/proc` and `/sys`.
    static func read(root: FilePath) -> Machine.CPU {
        let memory = memoryInfo(text(root, "proc/meminfo"))
        var cpu = Machine.CPU(
            cores: cores(status: text(root, "proc/self/status")), model: model(text(root, "proc/cpuinfo")),
            memory: memory.total, memoryAvailable: memory.available)
        // Slurm and container runtimes limit a group that stands above the process's own.
        for group in controlGroups(text(root, "proc/self/cgroup")) {
            if let quota = quota(text(root, group + "cpu.max")) { cpu.quota = min(quota, cpu.quota ?? quota) }
            if let limit = Int(trimmed(text(root, group + "memory.max"))) {
                let used = Int(trimmed(text(root, group + "memory.current"))) ?? 0
                cpu.memory = min(cpu.memory, limit)
                cpu.memoryAvailable = min(cpu.memoryAvailable, max(0, limit - used))
            }
        }
        return cpu
    }

    /// The folders of the control group (version 2) that `/proc/self/cgroup` names, and of those above it.
    static func controlGroups(_ text: String) -> [String] {
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("0::") }
        var names = (line?.dropFirst(3) ?? "").split(separator: "/").filter { $0 != ".." }
        var folders: [String] = []
        while true {
            folders.append((["sys/fs/cgroup"] + names).joined(separator: "/") + "/")
            guard names.popLast() != nil else { return folders }
        }
    }

    /// Whether the kernel has NVIDIA's driver loaded.
    static func hasNVIDIADriver(root: FilePath) -> Bool { !text(root, "proc/driver/nvidia/version").isEmpty }

    /// The cores nearest to a PCI device, from the kernel's list for its address.
    static func cores(nearPCI bus: String, root: FilePath) -> [Int] {
        // The driver writes the domain with eight digits and capitals, the kernel with four and small letters.
        let address = bus.lowercased().split(separator: ":")
        guard address.count == 3 else { return [] }
        let name = "\(address[0].suffix(4)):\(address[1]):\(address[2])"
        return coreList(text(root, "sys/bus/pci/devices/\(name)/local_cpulist"))
    }

    /// The cores of the affinity mask, as `/proc/self/status` gives it (the mask that `sched_getaffinity` returns).
    static func cores(status: String) -> [Int] {
        coreList(value(of: "Cpus_allowed_list", in: status) ?? "")
    }

    /// The numbers of a list such as `0-3,8,10-11`.
    static func coreList(_ text: String) -> [Int] {
        trimmed(text).split(separator: ",").flatMap { part -> [Int] in
            let ends = part.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, first <= last else { return [] }
            return Array(first...last)
        }
    }

    /// The cores' worth of time in a control group's `cpu.max`, as in `200000 100000`; nil for `max`.
    static func quota(_ text: String) -> Double? {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let time = Double(words[0]), let period = Double(words[1]), period > 0 else {
            return nil
        }
        return time / period
    }

    private static func model(_ text: String) -> String {
        value(of: "model name", in: text) ?? value(of: "Model", in: text) ?? "unknown processor"
    }

    private static func memoryInfo(_ text: String) -> (total: Int, available: Int) {
        func bytes(_ name: String) -> Int? {
            value(of: name, in: text).flatMap { $0.split(separator: " ").first }.flatMap { Int($0) }.map { $0 * 1024 }
        }
        let total = bytes("MemTotal") ?? 0
        return (total, bytes("MemAvailable") ?? total)
    }

    /// What stands behind `name:` in the first line that begins so.
    private static func value(of name: String, in text: String) -> String? {
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2, trimmed(parts[0]) == name { return trimmed(parts[1]) }
        }
        return nil
    }

    /// The contents of a file of the kernel's, which has no size beforehand; empty if it cannot be read.
    private static func text(_ root: FilePath, _ path: String) -> String {
        guard let file = try? FileDescriptor.open(root.pushing(FilePath(path)), .readOnly) else { return "" }
        defer { try? file.close() }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while let count = try? chunk.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
