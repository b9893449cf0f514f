import Devices
import Files
import FoundationEssentials
import Lowering
import Subprocess
import Synchronization
import SystemPackage
import Units

/// A runner that compiles a program's functions for their figures of memory, and trains nothing.
struct Probe: Sendable {
    let preparation: Preparation
    let executable: FilePath

    /// The most bytes that any function of the program takes, by the compiler; nil when the probe failed, which then
    /// shows with its reason when training begins.
    func memory(of program: PlannedProgram, _ group: ProgramGroup) async throws -> Int? {
        guard let cohort = program.cohorts.first, let device = preparation.devices.first else { return nil }
        let name = "pronghorn-probe-\(ProcessInfo.processInfo.processIdentifier)-\(group.bundle.digest.prefix(12))"
        let folder = RunFolder(FilePath(FileManager.default.temporaryDirectory.path).appending(name))
        defer { try? FileManager.default.removeItem(atPath: folder.path.string) }
        try folder.create()
        let unit = try preparation.write(cohort, of: program, group, nil, id: "probe", work: .probe, in: folder)
        let process = RunnerProcess(
            program: try preparation.nativeRunner(executable, on: device), device: device,
            log: folder.log(of: device.name))
        let listener = Listener(unit: unit.id, folder: folder.unit(unit.id))
        guard try await process.run(listener) == nil else { return nil }
        return await listener.memory
    }

    /// Hands over the one unit and keeps the largest figure.
    private actor Listener: RunnerProcess.Delegate {
        private var unit: (id: String, folder: FilePath)?
        private(set) var memory: Int?

        init(unit: String, folder: FilePath) {
            self.unit = (unit, folder)
        }

        func nextUnit(_ kind: WorkKind, for device: Device) -> (id: String, folder: FilePath)? {
            defer { unit = nil }
            return unit
        }

        func heard(_ event: RunnerEvent, from device: Device) {
            if case .compiled(_, _, _, let figures) = event.what { memory = max(memory ?? 0, figures.total) }
        }

        func started(_ device: Device, process: Int, input: StandardInputWriter) {}

        func ended(_ change: RunnerLife.Change, on device: Device) {}
    }
}
