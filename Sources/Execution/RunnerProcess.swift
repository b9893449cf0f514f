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
        var ending: RunnerEnding
        /// Whether it had come so far as to be ready.
        var wasReady: Bool
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
        let life = Life(isFit: program.kind != .native)
        let memoryKills = MemoryKills.count()
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
            let process = execution.processIdentifier.value
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await feed(execution.standardInputWriter, of: process, life, signals, delegate) }
                group.addTask { await watch(process, life) }
                await listen(to: execution.standardOutput, life, free, delegate)
                free.finish()
                group.cancelAll()
            }
            // The process is gone but not yet waited for, so that its number, and its group's, can be no other's: what it
            // has started ends with it.
            kill(-process, SIGKILL)
        }
        let folder = await life.folder
        let (units, stuck, wasReady) = await life.died()
        if units.isEmpty { return nil }
        var ending = RunnerEnding(
            outcome.terminationStatus, stuck: stuck, memoryKills: MemoryKills.count() - memoryKills)
        // What was only waiting for the process to start has no part in its end.
        if !wasReady { ending = .lostDevice }
        return Death(
            units: units, ending: ending, wasReady: wasReady,
            message: describe(outcome.terminationStatus, ending, stuck, folder))
    }

    /// Ends the process, and all that it has started, when it has been silent for too long.
    private func watch(_ process: pid_t, _ life: Life) async {
        var signs = ProcessSigns(process)
        let clock = SuspendingClock()
        let began = clock.now
        while (try? await Task.sleep(for: .seconds(Life.interval), clock: clock)) != nil {
            let now = (clock.now - began).inSeconds
            guard await life.isWorthALook(at: now) else { continue }
            guard let sign = signs.look(at: now) else { return }
            if await life.judge(sign) {
                // Whatever could be asked of it, it would not answer; and SIGTERM does not reach a stopped process.
                kill(-process, SIGKILL)
                return
            }
        }
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
            await life.began(next.id, in: next.folder)
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
                let change = await life.heard(event)
                await delegate.heard(event, from: device)
                switch change {
                case .none: break
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
                await life.listens(after: event)
            }
        } catch {
            // The end of the output, however it comes, is the end of the process; its status says the rest.
        }
        await life.over()
    }

    /// Bytes of a process that are in memory; 0 where nobody says.
    private static func residentMemory(of process: pid_t) -> Int {
        guard let data = FileManager.default.contents(atPath: "/proc/\(process)/statm") else { return 0 }
        let pages = String(decoding: data, as: UTF8.self).split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return (pages ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// - Parameter folder: the last unit's that it was given.
    private func describe(
        _ status: TerminationStatus, _ ending: RunnerEnding, _ stuck: RunnerStuck?, _ folder: FilePath?
    ) -> String {
        var text = "the runner of \(device.name) "
        switch (ending, status) {
        case (.stuck, _), (.paused, _): text += stuck.map { "\($0), and was ended" } ?? "was ended"
        case (.memory, _): text += "was ended by the system, for want of memory (SIGKILL)"
        case (_, .exited(let code)): text += "ended with status \(code)"
        case (_, .signaled(let signal)): text += "was ended by \(Self.name(of: signal))"
        }
        let logs = [folder?.appending(Unit.logName), log].compactMap(\.self)
        for log in logs {
            let lines = Self.lastLines(of: UnitLog.end(of: log, bytes: 1 << 16))
            if !lines.isEmpty { return "\(text); the end of its log \(log): \(lines)" }
        }
        text += "; its log \(logs[0]) says nothing"
        return text
    }

    private static func name(of signal: CInt) -> String {
        switch signal {
        case 4: "SIGILL, an instruction that this processor lacks"
        case 6: "SIGABRT, a check inside the plugin"
        case 7: "SIGBUS, a file that was shortened or a disk that failed"
        case 9: "SIGKILL, from outside"
        case 11: "SIGSEGV, a fault inside the plugin"
        case 15: "SIGTERM, from outside"
        default: "signal \(signal)"
        }
    }

    /// The lines at the end of a log that say most of how its process ended.
    static func lastLines(of text: String) -> String {
        UnitLog.tellingLines(5, of: text).joined(separator: " | ")
    }
}

/// A runner's life, shared between the tasks that feed it, listen to it and watch it.
private actor Life {
    /// Seconds between two looks at the runner.
    static let interval = 0.25

    private var life = RunnerLife()
    private var watch: RunnerWatch
    private var attended = AttendedTime(interval: Life.interval)
    /// How it came to be ended by us.
    private var stuck: RunnerStuck?
    /// Whether the process says nothing more, whatever it holds.
    private var isOver = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// The folder of the last unit that it was given.
    private(set) var folder: FilePath?

    init(isFit: Bool) {
        watch = RunnerWatch(isFit: isFit, at: 0)
    }

    func began(_ unit: String, in folder: FilePath) {
        self.folder = folder
        life.began(unit)
        watch.began(at: attended.seconds)
    }

    /// What an event means; until `listens` is called it is being dealt with.
    func heard(_ event: RunnerEvent) -> RunnerLife.Change {
        watch.hears()
        return life.heard(event)
    }

    /// The event has been dealt with: those who wait look again.
    func listens(after event: RunnerEvent) {
        watch.listens(after: event, life, at: attended.seconds)
        wake()
    }

    /// The process says nothing more.
    func over() {
        isOver = true
        wake()
    }

    func isWorthALook(at now: Double) -> Bool {
        attended.tick(at: now)
        return watch.isWorthALook(at: attended.seconds)
    }

    /// Whether the process is to be ended, given what it does.
    func judge(_ sign: RunnerWatch.Sign) -> Bool {
        guard !isOver, case .stuck(let silence, _) = watch.judge(sign, at: attended.seconds) else { return false }
        stuck = RunnerStuck(silence: silence, isStopped: sign == .stopped)
        return true
    }

    func died() -> (units: [String], stuck: RunnerStuck?, wasReady: Bool) {
        (life.ended(), stuck, watch.work != .starting)
    }

    /// Waits until nothing is in the runner's hands, or it is gone.
    func whenIdle() async {
        while !life.isIdle, !isOver { await withCheckedContinuation { waiting.append($0) } }
    }

    private func wake() {
        for continuation in waiting { continuation.resume() }
        waiting = []
    }
}
