import Devices
import FoundationEssentials
import Glibc
import Subprocess
import SystemPackage
import Units

/// A runner's process: started with only its device visible, fed units, listened to until it ends.
struct RunnerProcess: Sendable {
    let program: RunnerProgram
    let device: Device
    let log: FilePath

    /// What the process's feeder is asked and told.
    protocol Delegate: Sendable {
        /// The folder of the next unit, waiting for one; nil when there are no more.
        func nextUnit(_ kind: WorkKind, for device: Device) async -> (id: String, folder: FilePath)?
        func started(_ device: Device, process: Int, input: StandardInputWriter) async
        func heard(_ event: RunnerEvent, from device: Device) async
        /// A unit is trained: its models are being written while the device takes the next.
        func ended(_ change: RunnerLife.Change, on device: Device) async
    }

    /// The line that ends training after the epoch at hand: `Runner.stopLine`.
    static let stopLine = "stop"

    /// Why a process is gone that still held units.
    struct Death: Sendable {
        var units: [String]
        var message: String
    }

    /// Starts the process and feeds it until there are no more units or it dies.
    ///
    /// - Returns: nil when it ended with nothing in its hands.
    func run(_ delegate: some Delegate) async throws -> Death? {
        var platform = PlatformOptions()
        // A group of its own: Ctrl-C is for the control process, and whatever the runner starts ends with it.
        platform.processGroupID = 0
        platform.teardownSequence = [
            .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: .seconds(2))
        ]
        let errors = try FileDescriptor.open(
            log, .writeOnly, options: [.create, .append, .closeOnExec],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        let life = Life()
        let outcome = try await Subprocess.run(
            .path(program.executable), arguments: Arguments(program.arguments),
            environment: .custom(
                Dictionary(
                    uniqueKeysWithValues: program.environment.map {
                        (Environment.Key(stringLiteral: $0.key), $0.value)
                    })),
            platformOptions: platform, input: .inputWriter, output: .sequence,
            error: .fileDescriptor(errors, closeAfterSpawningProcess: true)
        ) { execution in
            await delegate.started(
                device, process: Int(execution.processIdentifier.value), input: execution.standardInputWriter)
            let (signals, free) = AsyncStream.makeStream(of: Void.self)
            free.yield()
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await feed(
                        execution.standardInputWriter, of: execution.processIdentifier.value, life, signals, delegate)
                }
                await listen(to: execution.standardOutput, life, free, delegate)
                free.finish()
                group.cancelAll()
            }
        }
        let units = await life.died()
        if units.isEmpty { return nil }
        return Death(units: units, message: describe(outcome.terminationStatus))
    }

    /// Hands over a unit whenever the device is free, and closes the input when there are no more.
    private func feed(
        _ input: StandardInputWriter, of process: pid_t, _ life: Life, _ signals: AsyncStream<Void>,
        _ delegate: some Delegate
    ) async {
        var fed = 0
        var memory: Int?
        for await _ in signals {
            if let recycling = program.recycling, fed > 0 {
                let now = Self.residentMemory(of: process)
                memory = memory ?? now
                // Between two units: what is started anew has lost nothing, and is no death.
                if fed >= recycling.units || now - (memory ?? now) > recycling.growth { break }
            }
            guard let next = await delegate.nextUnit(program.kind, for: device) else { break }
            fed += 1
            await life.began(next.id)
            // A process that is gone shows where its output is read.
            guard (try? await input.write("\(next.folder)\n")) != nil else { return }
        }
        await life.whenIdle()
        try? await input.finish()
    }

    private func listen(
        to output: SubprocessOutputSequence, _ life: Life, _ free: AsyncStream<Void>.Continuation,
        _ delegate: some Delegate
    ) async {
        do {
            for try await line in output.strings(bufferingPolicy: .unbounded) {
                guard let event = try? RunnerEvent(line: Data(line.utf8)) else { continue }
                await delegate.heard(event, from: device)
                let change = await life.heard(event)
                switch change {
                case .none: continue
                case .free: free.yield()
                case .finished(_, let wasTraining):
                    await delegate.ended(change, on: device)
                    if wasTraining { free.yield() }
                case .stopped:
                    await delegate.ended(change, on: device)
                    free.yield()
                case .narrowed(_, _, let wasTraining), .failed(_, _, _, let wasTraining):
                    await delegate.ended(change, on: device)
                    if wasTraining { free.yield() }
                }
                await life.changed()
            }
        } catch {
            // The end of the output, however it comes, is the end of the process; its status says the rest.
        }
        await life.changed(isOver: true)
    }

    /// Bytes of a process that are in memory; 0 where nobody says.
    private static func residentMemory(of process: pid_t) -> Int {
        guard let data = FileManager.default.contents(atPath: "/proc/\(process)/statm") else { return 0 }
        let pages = String(decoding: data, as: UTF8.self).split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return (pages ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    private func describe(_ status: TerminationStatus) -> String {
        var text: String
        switch status {
        case .exited(let code): text = "the runner of \(device.name) ended with status \(code)"
        case .signaled(let signal): text = "the runner of \(device.name) was ended by \(Self.name(of: signal))"
        }
        let lines = lastLines
        text += lines.isEmpty ? "; its log \(log) says nothing" : "; the end of its log \(log): \(lines)"
        return text
    }

    private static func name(of signal: CInt) -> String {
        switch signal {
        case 4: "SIGILL, an instruction that this processor lacks"
        case 6: "SIGABRT, a check inside the plugin"
        case 7: "SIGBUS, a file that was shortened or a disk that failed"
        case 9: "SIGKILL, from outside or for want of memory"
        case 11: "SIGSEGV, a fault inside the plugin"
        case 15: "SIGTERM, from outside"
        default: "signal \(signal)"
        }
    }

    private var lastLines: String {
        guard let data = FileManager.default.contents(atPath: log.string) else { return "" }
        let text = String(decoding: data.suffix(2000), as: UTF8.self)
        // The plugin greets with two lines that say nothing of a death.
        let greetings = ["absl::InitializeLog()", "pjrt_c_api_cpu_internal.cc"]
        let lines = text.split(separator: "\n").filter { line in !greetings.contains { line.contains($0) } }
        return lines.suffix(5).joined(separator: " | ")
    }
}

/// A runner's life, shared between the task that feeds it and the one that listens.
private actor Life {
    private var life = RunnerLife()
    /// Whether the process says nothing more, whatever it holds.
    private var isOver = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func began(_ unit: String) { life.began(unit) }

    func heard(_ event: RunnerEvent) -> RunnerLife.Change { life.heard(event) }

    func died() -> [String] { life.ended() }

    /// Waits until nothing is in the runner's hands, or it is gone.
    func whenIdle() async {
        while !life.isIdle, !isOver { await withCheckedContinuation { waiting.append($0) } }
    }

    /// Lets those who wait look again.
    func changed(isOver: Bool = false) {
        self.isOver = self.isOver || isOver
        for continuation in waiting { continuation.resume() }
        waiting = []
    }
}
