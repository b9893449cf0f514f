import Datasets
import Devices
import Experiments
import Files
import FoundationEssentials
import Glibc
import Ledger
import Lowering
import PythonEnvironment
import SystemPackage
import TensorFiles
import Units

/// Uses the models of a run on rows: in runners, many models at once, as they were trained.
///
/// Models that were trained as programs are used as programs; those of the `fit` engine, and those whose program is gone from
/// the cache and cannot be made again as it was, are loaded by Keras. The run's folder is only read, but for a damaged ledger,
/// which is made anew.
public struct Inference: Sendable {
    let request: InferenceRequest
    let progress: @Sendable (String) -> Void

    public init(_ request: InferenceRequest, progress: @escaping @Sendable (String) -> Void) {
        self.request = request
        self.progress = progress
        // A write to a runner that has died must fail, and not end this process.
        signal(SIGPIPE, SIG_IGN)
    }

    /// What was opened: the models, the rows they are used on, and what they are used with.
    struct Opened: Sendable {
        var description: RunDescription
        var chosen: ChosenModels
        var source: DataSource
        var machine: Machine
        var devices: [Device]
        var python: Python
        var requirements: Requirements
        var interpreter: FilePath?
    }

    /// A unit that a device has worked on, and its models in the order of its lanes.
    struct Done: Sendable {
        var unit: Unit
        var models: [Int]
        /// What evaluating measured, a value a lane.
        var metrics: [String: [Double]]
    }

    /// Has every chosen model used on its rows.
    ///
    /// - Parameters:
    ///   - work: `predict` or `evaluate`.
    ///   - scratch: a folder for the units; whoever made it removes it.
    ///   - check: sees what was opened before anything is computed.
    func carryOut(
        _ work: Unit.Work, in scratch: FilePath, check: (Opened) throws -> Void
    ) async throws -> (opened: Opened, done: [Done]) {
        let opened = try await open()
        try check(opened)
        let locks = try DeviceLocks(
            opened.devices, in: CacheFolder.path("devices"),
            holder: "\(work.rawValue) of \(request.run), process \(ProcessInfo.processInfo.processIdentifier)")
        defer { extendLifetime(locks) }
        let lowerer = try Lowerer(python: opened.python, progress: progress)
        let planning = InferencePlanning(
            work: work, opened: opened, batchSize: request.batchSize, scratch: RunFolder(scratch), progress: progress)
        let units: [InferencePlanning.Planned]
        do {
            units = try await planning.units(lowerer)
        } catch {
            await lowerer.close()
            throw error
        }
        await lowerer.close()
        let runners = InferenceRunners(opened: opened, executable: request.executable, progress: progress)
        let metrics = try await runners.work(on: units.map(\.unit), in: RunFolder(scratch))
        return (
            opened, units.map { Done(unit: $0.unit, models: $0.models, metrics: metrics[$0.unit.id] ?? [:]) }
        )
    }

    private func open() async throws -> Opened {
        let ledger = try RunFolder(request.run).readLedger(note: progress)
        let description = try RunDescription.read(RunFolder(request.run).description)
        var (experiment, folder) = try request.experiment(of: description)
        let machine = await Devices.discover()
        let devices = try request.devices.resolve(on: machine)
        let driver = devices.contains { $0.platform == "cuda" } ? machine.driver : nil
        let requirements = Requirements(
            further: description.experiment.python?.requirements ?? [],
            accelerators: driver.map { [Requirements.Accelerator.cuda(driver: $0)] } ?? [])
        let interpreter = description.namedInterpreter
        let python = try await ManagedPython.prepare(
            requirements: requirements, interpreter: interpreter, progress: progress
        ).passing(description.experiment.passedVariables)
        do {
            let prepared = try await PreparingData(experiment: experiment, folder: folder, progress: progress)
                .prepare(python)
            experiment = try experiment.resolving(prepared)
            let dataset = try Dataset.open(experiment, relativeTo: folder, cache: CacheFolder.path("data"))
            let groups =
                request.use == .ofGroup
                ? try dataset.partitions(devices: 1).map { ChosenModels.Group(label: $0.label, rows: $0.training) }
                : [ChosenModels.Group(label: nil, rows: .all(dataset.rows))]
            guard let source = dataset.sources.first, dataset.sources.count == 1 else {
                throw RunError(.request, "--data: name one file of each array, not one a trial")
            }
            // Each partition has values of its own, and these are the rows without them; held-out rows are taken from the
            // copies that the models were trained on.
            if request.use != .heldOut, let fill = source.arrays.lazy.flatMap(\.fills).first {
                throw RunError(
                    .request,
                    "the run's own data has no value in places of '\(fill.column)', where each partition has a "
                        + "\(fill.rule.rawValue) of its own: give rows without such places by --data")
            }
            let chosen = try ChosenModels(request, ledger, groups, rows: dataset.rows, note: progress)
            return Opened(
                description: description, chosen: chosen, source: source, machine: machine, devices: devices,
                python: python, requirements: requirements, interpreter: interpreter)
        } catch let error as ExperimentError {
            throw InferenceRequest.fromCommandLine(error)
        }
    }
}

extension RunDescription {
    /// The interpreter that the experiment names.
    var namedInterpreter: FilePath? {
        experiment.python?.interpreter.map { name in
            // A bare name is looked up on PATH, anything else is a path.
            name.contains("/") ? FilePath(folder).pushing(FilePath(name)) : FilePath(name)
        }
    }
}
