import Experiments
import Files
import FoundationEssentials
public import Ledger
import PythonEnvironment
import Subprocess
public import SystemPackage

/// What trials of a run are written as.
public enum ExportFormat: String, Sendable, CaseIterable {
    case keras, weights, h5, savedmodel, onnx, tensorboard, mlflow

    /// What a trial's file (or folder) is called.
    func fileName(of trial: String) -> String {
        switch self {
        case .keras: "\(trial).keras"
        case .weights: "\(trial).weights.h5"
        case .h5: "\(trial).h5"
        case .onnx: "\(trial).onnx"
        case .savedmodel, .tensorboard: trial
        case .mlflow: "mlflow.db"
        }
    }

    /// Whether it holds what the trials measured, and not, or not only, their models.
    var holdsHistory: Bool { self == .tensorboard || self == .mlflow }

    /// Packages that writing it needs, besides those that the run's own Python has.
    var requirements: [String] {
        switch self {
        // TensorFlow, which a SavedModel needs, has an environment of its own.
        case .keras, .weights, .h5, .savedmodel: []
        case .onnx: ["jax2onnx==0.17.1"]
        case .tensorboard: ["tensorboard==2.21.0"]
        case .mlflow: ["mlflow-skinny==3.17.2", "sqlalchemy==2.1.9", "alembic==1.20.1"]
        }
    }
}

/// Writes trials of a run in a format, each for itself: what cannot be written keeps no other from it.
public struct Exporting: Sendable {
    public var run: FilePath
    public var format: ExportFormat
    public var output: FilePath
    /// Whether files that are there are replaced.
    public var replaces: Bool

    public init(run: FilePath, format: ExportFormat, output: FilePath, replaces: Bool) {
        self.run = Folder.absolute(run)
        self.format = format
        self.output = Folder.absolute(output)
        self.replaces = replaces
    }

    /// What became of one trial.
    public struct Outcome: Sendable {
        public var trial: Int
        /// The file or folder that was written.
        public var file: FilePath
        /// Why it was not.
        public var failure: String?
    }

    /// Writes trials.
    ///
    /// - Parameters:
    ///   - ledger: the run's, which the trials were read from.
    ///   - progress: is told what is being done.
    ///   - report: is told each trial's outcome.
    /// - Throws: `RunError` for a run that is none, or files that are there already; nothing is written then.
    public func write(
        _ trials: [TrialResult], of ledger: Ledger, progress: @escaping @Sendable (String) -> Void,
        report: (Outcome) -> Void
    ) async throws {
        let folder = RunFolder(run)
        let description = try RunDescription.read(folder.description)
        let places = trials.map { output.appending(format.fileName(of: $0.name)) }
        if !replaces, let taken = places.first(where: { (try? FileStamp(of: $0)) != nil }) {
            throw RunError(.request, "\(taken) is there already; --force replaces it, --output names another folder")
        }
        do {
            try Folder.create(output)
        } catch {
            throw RunError(.request, "the folder \(output) cannot be made", cause: error)
        }
        var ready: [TrialResult] = []
        for (trial, place) in zip(trials, places) {
            if !format.holdsHistory, trial.model == nil {
                let why = trial.status == .finished ? "the run keeps no models of it (save)" : trial.status.rawValue
                report(Outcome(trial: trial.trial, file: place, failure: "has no model: \(why)"))
            } else {
                ready.append(trial)
            }
        }
        guard !ready.isEmpty else { return }
        if format == .keras { return copy(ready, report) }
        try await convert(ready, ledger, description, progress, report)
    }

    private func copy(_ trials: [TrialResult], _ report: (Outcome) -> Void) {
        for trial in trials {
            let place = output.appending(format.fileName(of: trial.name))
            var outcome = Outcome(trial: trial.trial, file: place, failure: nil)
            do {
                let model = try MappedFile(run.pushing(FilePath(trial.model ?? "")))
                try model.withBytes { (bytes) throws(FilesError) in try AtomicFile.write(bytes, to: place) }
            } catch {
                outcome.failure = error.message
            }
            report(outcome)
        }
    }

    // MARK: By Python

    /// The Python that writes the format: Keras reads its own files on any backend.
    private func python(
        _ experiment: Experiment, _ base: FilePath, _ progress: @escaping @Sendable (String) -> Void
    ) async throws -> BackendPython {
        let requirements = Requirements(further: (experiment.python?.requirements ?? []) + format.requirements)
        let interpreter = experiment.python?.interpreter.map { name in
            // A bare name is looked up on PATH, anything else is a path.
            name.contains("/") ? base.pushing(FilePath(name)) : FilePath(name)
        }
        if format == .savedmodel {
            var python = try await ManagedPython.prepare(
                .tensorflow, requirements: requirements, interpreter: interpreter, progress: progress)
            python.environment.merge(experiment.passedVariables) { $1 }
            return python
        }
        let python = try await ManagedPython.prepare(
            requirements: requirements, interpreter: interpreter, progress: progress
        ).passing(experiment.passedVariables)
        return BackendPython(interpreter: python.interpreter, environment: python.environment)
    }

    /// What `pronghorn.export` is told besides the trials; its first lines say what the fields mean.
    private struct Job: Encodable {
        var to: String
        var run: String
        var output: String
        var force: Bool
        var imports: [String]
        /// The epochs of each metric's values, by the trial's number.
        var epochs: [String: [String: [Int]]]
    }

    /// One line of its answer.
    private struct Answer: Decodable {
        var trial: Int
        var error: String?
    }

    private func convert(
        _ trials: [TrialResult], _ ledger: Ledger, _ description: RunDescription,
        _ progress: @escaping @Sendable (String) -> Void, _ report: (Outcome) -> Void
    ) async throws {
        let experiment = description.experiment
        let base = FilePath(description.folder)
        let python = try await python(experiment, base, progress)
        var imports: [String] = []
        if !format.holdsHistory, case .function(let function) = experiment.model {
            imports = [base.pushing(FilePath(function.file)).lexicallyNormalized().string]
        }
        if let customObjects = experiment.customObjects {
            imports.append(base.pushing(FilePath(customObjects)).lexicallyNormalized().string)
        }
        var epochs: [String: [String: [Int]]] = [:]
        if format.holdsHistory {
            for trial in trials {
                for (epoch, metrics) in try ledger.epochs(of: trial.trial) {
                    for name in metrics.keys {
                        epochs[String(trial.trial), default: [:]][name, default: []].append(epoch)
                    }
                }
            }
        }
        let job = Job(
            to: format.rawValue, run: run.string, output: output.string, force: replaces, imports: imports,
            epochs: epochs)
        let head = String(decoding: try JSONEncoder().encode(job), as: UTF8.self)
        let text = "\(head.dropLast()), \"trials\": \(ResultsJSON.list(trials))}"
        progress("writing \(trials.count) of \(format.rawValue)")
        let result = try await PythonProgram(
            python.interpreter, ["-m", "pronghorn.export"], environment: python.environment
        ).run(text)
        var answers: [Int: Answer] = [:]
        for line in result.output.split(separator: "\n") {
            guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(line.utf8)) else { continue }
            answers[answer.trial] = answer
        }
        let words = result.errors.last ?? "\(result.status)"
        for trial in trials {
            let place = output.appending(format.fileName(of: trial.name))
            let failure = answers[trial.trial].map(\.error) ?? "the Python that writes it ended early: \(words)"
            report(Outcome(trial: trial.trial, file: place, failure: failure))
        }
    }
}
