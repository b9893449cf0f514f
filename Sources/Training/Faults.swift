#if DEBUG
    import Glibc
    import SystemPackage
    import Units

    /// Faults that tests ask for, since a program cannot fail by itself; builds for users know none of them.
    ///
    /// `PRONGHORN_TEST_CRASH="seed=7"` ends the process after an epoch of a unit that holds the trial of this seed.
    /// `PRONGHORN_TEST_MEMORY="lanes=4"` says after an epoch of a unit of more lanes that memory has run out. Both take
    /// `epoch=5`: not before this epoch.
    enum Faults {
        static func strike(_ unit: Unit, after epoch: Int) throws(TrainingError) {
            if let crash = settings("PRONGHORN_TEST_CRASH"), epoch >= crash["epoch"] ?? 0,
                unit.lanes.contains(where: { $0.seed == crash["seed"].map(UInt64.init) })
            {
                _ = try? FileDescriptor.standardError.writeAll("a check inside the model has failed\n".utf8)
                abort()
            }
            if let memory = settings("PRONGHORN_TEST_MEMORY"), epoch >= memory["epoch"] ?? 0,
                unit.packing.lanes > memory["lanes"] ?? .max
            {
                throw TrainingError(.outOfMemory, "there is no room for \(unit.packing.lanes) models")
            }
        }

        private static func settings(_ name: String) -> [String: Int]? {
            guard let text = getenv(name).map({ String(cString: $0) }) else { return nil }
            let pairs = text.split(separator: ",").compactMap { pair -> (String, Int)? in
                let words = pair.split(separator: "=")
                guard words.count == 2, let value = Int(words[1]) else { return nil }
                return (String(words[0]), value)
            }
            return Dictionary(pairs) { $1 }
        }
    }
#endif
