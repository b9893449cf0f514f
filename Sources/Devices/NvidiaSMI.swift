/// Reads what `nvidia-smi` prints; it runs nothing.
enum NvidiaSMI {
    /// The fields asked for with `--query-gpu`, in the order in which ``gpus(csv:)`` reads them.
    static let gpuFields =
        "index,uuid,name,memory.total,memory.free,driver_version,mig.mode.current,pci.bus_id"
    /// The fields asked for with `--query-compute-apps`, in the order in which ``processes(csv:)`` reads them.
    static let processFields = "gpu_uuid,pid,used_memory"
    /// The format that both are asked for in.
    static let format = "csv,noheader,nounits"

    private static let mebibyte = 1 << 20

    /// The GPUs of `--query-gpu=`; a line that is not one is left out.
    static func gpus(csv: String) -> [Machine.GPU] {
        rows(csv).compactMap { fields in
            guard fields.count == 8, let index = Int(fields[0]), fields[1].hasPrefix("GPU-") else { return nil }
            return Machine.GPU(
                index: index, uuid: fields[1], name: fields[2], memoryTotal: mebibytes(fields[3]),
                memoryFree: mebibytes(fields[4]), driver: fields[5], pciBus: fields[7],
                migEnabled: fields[6] == "Enabled")
        }
    }

    /// The computing processes of `--query-compute-apps=`, by the UUID of the GPU.
    static func processes(csv: String) -> [String: [Machine.GPUProcess]] {
        var found: [String: [Machine.GPUProcess]] = [:]
        for fields in rows(csv) {
            guard fields.count == 3, let pid = Int(fields[1]) else { continue }
            found[fields[0], default: []].append(Machine.GPUProcess(pid: pid, memory: mebibytes(fields[2])))
        }
        return found
    }

    /// The instances that `-L` lists, by the UUID of the GPU.
    ///
    /// A line is `  MIG 3g.40gb     Device  0: (UUID: MIG-…)` below the line of its GPU, `GPU 0: NAME (UUID: GPU-…)`.
    static func instances(list: String) -> [String: [Machine.MIGInstance]] {
        var found: [String: [Machine.MIGInstance]] = [:]
        var gpu: String?
        for line in list.split(whereSeparator: \.isNewline) {
            guard let uuid = between("(UUID: ", ")", in: line) else { continue }
            let words = line.split(separator: " ")
            if words.first == "GPU" {
                gpu = uuid
            } else if words.first == "MIG", words.count >= 4, words[2] == "Device", let gpu {
                let profile = String(words[1])
                let index = Int(words[3].prefix(while: \.isNumber)) ?? found[gpu, default: []].count
                found[gpu, default: []].append(
                    Machine.MIGInstance(
                        index: index, uuid: uuid, profile: profile, memoryTotal: nominalMemory(profile: profile)))
            }
        }
        return found
    }

    /// The memory of each instance, total and free, by the UUID of the GPU and the instance's number, from `-q -x`.
    ///
    /// The driver prints an element a line, so that the few that matter here are found without an XML parser.
    static func instanceMemory(xml: String) -> [String: [Int: (total: Int?, free: Int?)]] {
        var found: [String: [Int: (total: Int?, free: Int?)]] = [:]
        // An instance stands in its GPU's element before the GPU's own UUID does.
        var pending: [Int: (total: Int?, free: Int?)] = [:]
        var instance: (index: Int?, total: Int?, free: Int?)?
        var inFrameBuffer = false
        for line in xml.split(whereSeparator: \.isNewline) {
            if line.contains("<gpu ") {
                pending = [:]
            } else if line.contains("<mig_device>") {
                instance = (nil, nil, nil)
            } else if line.contains("</mig_device>") {
                if let index = instance?.index { pending[index] = (instance?.total, instance?.free) }
                instance = nil
            } else if instance != nil {
                if line.contains("<fb_memory_usage>") {
                    inFrameBuffer = true
                } else if line.contains("</fb_memory_usage>") {
                    inFrameBuffer = false
                } else if inFrameBuffer, let total = between("<total>", "</total>", in: line) {
                    instance?.total = mebibytes(total)
                } else if inFrameBuffer, let free = between("<free>", "</free>", in: line) {
                    instance?.free = mebibytes(free)
                } else if instance?.index == nil, let index = between("<index>", "</index>", in: line) {
                    instance?.index = Int(index)
                }
            } else if let uuid = between("<uuid>", "</uuid>", in: line), uuid.hasPrefix("GPU-") {
                found[uuid] = pending
            }
        }
        return found
    }

    /// Nine tenths of the memory in a profile's name: `1g.12gb` of an H100 has 11.5 GB in fact.
    private static func nominalMemory(profile: String) -> Int? {
        guard let size = profile.split(separator: ".").dropFirst().first(where: { $0.contains("gb") }),
            let gigabytes = Int(size.prefix(while: \.isNumber))
        else { return nil }
        return gigabytes * 900_000_000
    }

    /// A number of mebibytes, with or without its unit, in bytes; nil for `[N/A]` and the like.
    private static func mebibytes(_ text: String) -> Int? {
        guard let number = text.split(separator: " ").first.flatMap({ Int($0) }) else { return nil }
        return number * mebibyte
    }

    private static func rows(_ csv: String) -> [[String]] {
        csv.split(whereSeparator: \.isNewline).map { line in
            line.split(separator: ",", omittingEmptySubsequences: false).map { trimmed($0) }
        }
    }

    private static func between(_ start: String, _ end: String, in line: Substring) -> String? {
        guard let from = line.firstRange(of: start), let to = line[from.upperBound...].firstRange(of: end) else {
            return nil
        }
        return trimmed(line[from.upperBound..<to.lowerBound])
    }
}

/// The text without white space at its ends.
func trimmed(_ text: some StringProtocol) -> String {
    var rest = text[...]
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return String(rest)
}
