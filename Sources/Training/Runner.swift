import Files
import FoundationEssentials
import Glibc
public import PJRT
import Programs
public import SystemPackage
import Units

/// The process that works on units on one device.
///
/// It reads a unit folder's path a line from standard input, says what happens on standard output, and ends when its
/// input closes: whoever holds the other end is gone then, or has no more work.
public final class Runner {
    /// What a runner is told when it starts.
    public struct Options: Sendable {
        public var plugin: FilePath
        public var pluginDigest: String?
        /// The device's name in events: `cpu:0`, `cuda:1`.
        public var device: String
        public var clientOptions: [String: OptionValue]
        public var compileOptions: CompileOptions
        /// Where compiled executables are kept; nil is the cache folder.
        public var executables: FilePath?

        public init(
            plugin: FilePath, pluginDigest: String?, device: String, clientOptions: [String: OptionValue],
            compileOptions: CompileOptions = CompileOptions(), executables: FilePath? = nil
        ) {
            self.plugin = plugin
            self.pluginDigest = pluginDigest
            self.device = device
            self.clientOptions = clientOptions
            self.compileOptions = compileOptions
            self.executables = executables
        }
    }

    /// The line on standard input that ends training after the epoch at hand.
    public static let stopLine = "stop"
    /// The exit status of a runner whose device does not answer any more: only another process may find it again.
    public static let lostDeviceStatus: Int32 = 86

    private let units = UnitQueue(stopLine: Runner.stopLine)
    private let client: Client
    private let cache: ExecutableCache
    private let compileOptions: CompileOptions
    private let log: EventLog
    private let writer: ModelWriter
    private let errors = StandardError()
    private let residents: ResidentArrays
    /// Programs stay loaded: most units of a run share one.
    private var programs: [String: LoadedProgram] = [:]

    /// Loads the plugin and opens its device.
    public init(_ options: Options) throws {
        log = EventLog()
        writer = ModelWriter(log: log)
        client = try Client(
            try Plugin.load(options.plugin, expecting: options.pluginDigest), options: options.clientOptions)
        residents = ResidentArrays(client)
        cache = ExecutableCache(folder: options.executables)
        compileOptions = options.compileOptions
        let device = try client.devices.first
        log.say(
            .ready(device: options.device, platform: client.platformName, memory: device?.memory?.bytesLimit))
    }

    /// Works on units until standard input closes.
    public func work() {
        units.listen()
        while let path = units.next() {
            let announce = work(on: FilePath(path))
            // Before the last word on the unit, after which the input may close at any time.
            units.done()
            announce()
            errors.end()
        }
        writer.drain()
    }

    /// Works on a unit; the result says, when called, how that ended.
    private func work(on folder: FilePath) -> () -> Void {
        let clock = ContinuousClock()
        let began = clock.now
        // A unit that cannot even be read is named by its folder.
        var id = folder.lastComponent?.string ?? folder.string
        do {
            let unit = try read(folder)
            id = unit.id
            errors.begin(in: folder)
            try log.begin(unit: id, in: folder)
            log.say(.started, unit: id)
            let pace = Pace { [log] in log.say(.working(on: $0), unit: unit.id) }
            let program = try program(of: unit, pace)
            switch unit.work {
            case .probe: try probe(unit, program)
            case .predict, .evaluate:
                let inference = UnitInference(
                    unit: unit, program: program, client: client, log: log, folder: folder,
                    pace: pace)
                if unit.work == .predict { try inference.predict() } else { try inference.evaluate() }
            case .train:
                switch try train(unit, in: folder, program, pace) {
                case .trained: break
                case .stopped(let epochs): return { [writer] in writer.stop(unit, epochs: epochs) }
                case .narrowed(let epochs): return { [writer] in writer.narrow(unit, in: folder, epochs: epochs) }
                }
            }
            return { [writer] in writer.finish(unit, in: folder) { began.duration(to: clock.now).seconds } }
        } catch {
            var failure = Self.classify(error)
            writer.abandon(id)
            if failure.code == .device, !deviceAnswers {
                failure.code = .deviceLost
                return { [log, writer] in
                    // Models of earlier units have left the device already.
                    writer.drain()
                    log.say(.failed(code: failure.code.rawValue, message: failure.description), unit: id)
                    log.end(unit: id)
                    _exit(Self.lostDeviceStatus)
                }
            }
            return { [log] in
                log.say(.failed(code: failure.code.rawValue, message: failure.description), unit: id)
                log.end(unit: id)
            }
        }
    }

    private func read(_ folder: FilePath) throws(TrainingError) -> Unit {
        let path = folder.appending(Unit.fileName)
        do {
            let file = try MappedFile(path)
            let unit = try file.withBytes { try Unit(json: Data($0)) }
            guard unit.version == Unit.currentVersion, !unit.lanes.isEmpty, unit.lanes.count <= unit.packing.lanes
            else {
                throw TrainingError(.invalidUnit, "\(path) is not a unit of version \(Unit.currentVersion)")
            }
            return unit
        } catch let error as TrainingError {
            throw error
        } catch {
            throw TrainingError(.invalidUnit, "\(path) cannot be read", cause: error)
        }
    }

    private func program(of unit: Unit, _ pace: Pace) throws -> LoadedProgram {
        let key = "\(unit.program.folder) \(unit.packing.lanes) \(unit.packing.form)"
        let bundle = try ProgramBundle(FilePath(unit.program.folder))
        let program: LoadedProgram
        if let loaded = programs[key], loaded.bundle.description == bundle.description {
            program = loaded
        } else {
            program = LoadedProgram(
                bundle, lanes: unit.packing.lanes, form: unit.packing.form, client: client, cache: cache,
                options: compileOptions)
            programs[key] = program
        }
        program.onCompiling = { [log] in log.say(.compiling(function: $0), unit: unit.id) }
        program.onCompiled = { [log, pace] compiled in
            pace.exclude(compiled.seconds)
            log.say(
                .compiled(
                    function: compiled.file, seconds: compiled.seconds, cached: compiled.cached,
                    memory: RunnerEvent.Memory(
                        arguments: compiled.memory.arguments, outputs: compiled.memory.outputs,
                        aliased: compiled.memory.aliased, temporary: compiled.memory.temporary)), unit: unit.id)
        }
        return program
    }

    private func train(
        _ unit: Unit, in folder: FilePath, _ program: LoadedProgram, _ pace: Pace
    ) throws -> UnitTraining.Outcome {
        let data = try UnitData(unit, in: folder, for: program.bundle.description)
        data.announceOrder(unit.fit.shuffle)
        residents.keep(only: unit)
        let training = UnitTraining(
            unit: unit, program: program, client: client, data: data, residents: residents, log: log, folder: folder,
            shallStop: { [units] in units.shallStop }, settle: { [writer] in try writer.settle(in: folder) },
            keep: { [writer] state in
                // Waits for the disk when much is being written.
                pace.announce("the writing of models")
                writer.write(state, in: folder)
            }, keepLast: { [writer] image in writer.write(image, of: unit.id, in: folder) }, pace: pace)
        let outcome = try training.run()
        for source in data.sources { try source.checkUnchanged() }
        return outcome
    }

    private func probe(_ unit: Unit, _ program: LoadedProgram) throws {
        for function in unit.functions {
            try program.prepare(
                function.name, steps: function.steps, rows: function.rows, form: function.form,
                halt: function.name == .train && unit.haltsOnNaN)
        }
    }

    /// Whether the device still takes numbers and gives them back.
    private var deviceAnswers: Bool {
        do {
            var list = BufferList(client)
            list.append(try client.buffer([Int32(42)], shape: []))
            return try list.array(0, as: Int32.self) == [42]
        } catch {
            return false
        }
    }

    private static func classify(_ error: any Error) -> TrainingError {
        var cause: (any Error)? = error
        while let inner = cause {
            if let known = inner as? TrainingError { return known }
            if let program = inner as? ProgramError {
                // It can be made again, and nothing is wrong with the trials.
                if program.code == .lost { return TrainingError(.files, program.description) }
                if program.cause == nil { return TrainingError(.invalidUnit, program.message) }
                cause = program.cause
                if let plugin = program.cause as? PJRTError, plugin.code == .plugin(.resourceExhausted) {
                    return TrainingError(.outOfMemory, program.description)
                }
                return TrainingError(.device, program.description)
            }
            cause = nil
        }
        return TrainingError(.device, "\(error)")
    }
}
