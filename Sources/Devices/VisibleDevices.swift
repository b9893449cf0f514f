/// Which accelerators this process may use: what `CUDA_VISIBLE_DEVICES` leaves of the machine's.
///
/// The rules are CUDA's (CUDA C++ Programming Guide, "CUDA Environment Variables"): the variable restricts and orders;
/// an entry that names nothing ends the list; set and empty means none. Numbers count in the order of the PCI bus, which is
/// the order that Pronghorn's runners are started with.
enum VisibleDevices {
    /// Every accelerator of the machine: a GPU, or the instances of one that is divided.
    static func all(of gpus: [Machine.GPU]) -> [Machine.Accelerator] {
        gpus.flatMap { gpu in
            gpu.migEnabled ? gpu.mig.map { Machine.Accelerator($0, of: gpu) } : [Machine.Accelerator(gpu)]
        }
    }

    /// The accelerators that a value of `CUDA_VISIBLE_DEVICES` leaves, and what is wrong with the value, if anything.
    static func restrict(_ gpus: [Machine.GPU], to value: String?) -> (visible: [Machine.Accelerator], problem: String?)
    {
        guard let value else { return (all(of: gpus), nil) }
        var visible: [Machine.Accelerator] = []
        for entry in value.split(separator: ",", omittingEmptySubsequences: false).map({ trimmed($0) }) {
            guard !entry.isEmpty, entry != "-1", entry.lowercased() != "nodevfiles" else { break }
            guard let found = accelerator(entry, of: gpus) else {
                return (
                    visible,
                    "CUDA_VISIBLE_DEVICES is \"\(value)\", but \"\(entry)\" names no GPU of this machine; "
                        + "CUDA ignores it and whatever follows it"
                )
            }
            if !visible.contains(where: { $0.uuid == found.uuid }) { visible.append(found) }
        }
        return (visible, nil)
    }

    private static func accelerator(_ entry: String, of gpus: [Machine.GPU]) -> Machine.Accelerator? {
        if let index = Int(entry) {
            guard let gpu = gpus.first(where: { $0.index == index }) else { return nil }
            return first(of: gpu)
        }
        if entry.hasPrefix("GPU-") {
            // The beginning of a UUID will do if no other begins so.
            let matches = gpus.filter { $0.uuid.lowercased().hasPrefix(entry.lowercased()) }
            return matches.count == 1 ? matches.first.flatMap(first(of:)) : nil
        }
        if entry.hasPrefix("MIG-") {
            let matches = gpus.flatMap { gpu in
                gpu.mig.filter { $0.uuid.lowercased().hasPrefix(entry.lowercased()) }.map { (gpu, $0) }
            }
            return matches.count == 1 ? matches.first.map { Machine.Accelerator($0.1, of: $0.0) } : nil
        }
        return nil
    }

    /// The GPU itself, or of one that is divided its first instance, the only one that CUDA would show.
    private static func first(of gpu: Machine.GPU) -> Machine.Accelerator? {
        gpu.migEnabled ? gpu.mig.first.map { Machine.Accelerator($0, of: gpu) } : Machine.Accelerator(gpu)
    }
}
