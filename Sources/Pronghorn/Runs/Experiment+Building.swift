public import Devices
public import Experiments
import FoundationEssentials
public import SystemPackage

extension Experiment {
    /// An experiment on one model, which is checked when it is trained.
    public init(_ name: String, model: CompiledModel, data: DataDescription) {
        self.init(name, model: model.source, data: data)
    }

    /// An experiment on several models: each trial has a parameter `model`, by whose name results call them.
    public init(_ name: String, models: KeyValuePairs<String, CompiledModel>, data: DataDescription) {
        let choices = models.map { name, model in
            NamedConfiguration(name, ModelConfiguration(.value(model.configuration)))
        }
        self.init(name, model: .configurations(choices), data: data)
        space = .product([Axis(ModelSource.choice, choices.map { .string($0.name) })])
    }

    /// The experiment with its rows divided.
    ///
    /// `within` says how the rows of each partition are divided again: folds within groups.
    public func partitioned(by scheme: PartitionScheme, within: PartitionScheme? = nil) -> Experiment {
        var experiment = self
        experiment.partition = scheme
        experiment.within = within
        return experiment
    }

    /// The experiment with further axes, whose product with those that it has is tried; the last varies fastest.
    public func trials(_ axes: Axis...) -> Experiment {
        var experiment = self
        let before: [Axis] = if case .product(let axes) = space { axes } else { [] }
        experiment.space = .product(before + axes)
        return experiment
    }

    /// The experiment with a trial a seed: what weights, row order and random layers are drawn from.
    public func trials(seeds: Range<Int>) -> Experiment { trials(Axis("seed", seeds)) }

    /// The experiment with a trial a learning rate, which goes before the model's own.
    public func trials(learningRates: [Double]) -> Experiment {
        trials(Axis("learning_rate", learningRates.map { .double($0) }))
    }

    /// The experiment fitted as `Model.fit` would.
    ///
    /// - Parameters:
    ///   - epochs: the epoch to train up to.
    ///   - batchSize: rows a step; nil: 32.
    ///   - validation: the share of each partition's last rows to validate on, or data of its own.
    ///   - shuffle: in which order an epoch takes the rows.
    public func fitted(
        epochs: Int, batchSize: Int? = nil, validation: FitOptions.Validation = .automatic,
        shuffle: FitOptions.Shuffle = .rows
    ) -> Experiment {
        var experiment = self
        experiment.fit.epochs = epochs
        experiment.fit.batchSize = batchSize
        experiment.fit.validation = validation
        experiment.fit.shuffle = shuffle
        return experiment
    }

    /// The experiment whose preprocessing is adapted to the rows that each trial trains on, as `layer.adapt(rows)` before
    /// `Model.fit` would.
    ///
    /// - Parameter layers: the names of `Normalization` and `Discretization` layers; none: all that learn from data.
    public func adapting(_ layers: String...) -> Experiment {
        var experiment = self
        experiment.adapt = layers.isEmpty ? .all : .named(layers)
        return experiment
    }

    /// The experiment with Keras's callbacks, each trial by itself.
    public func callbacks(_ callbacks: Callback...) -> Experiment {
        var experiment = self
        experiment.callbacks += callbacks
        return experiment
    }

    /// The experiment that keeps these models.
    public func saving(_ policy: SavePolicy) -> Experiment {
        var experiment = self
        experiment.save = policy
        return experiment
    }

    /// Begins to train every trial, on every device of this machine or on those that are named.
    ///
    /// ```swift
    /// let run = try await Experiment("stores", model: model, data: .npy(x: "x.npy", y: "y.npy"))
    ///     .partitioned(by: .count(8)).trials(seeds: 0..<16).fitted(epochs: 20, validation: .share(0.2)).train()
    /// for try await event in run.events { print(event) }
    /// let best = try await run.best("val_loss")
    /// ```
    ///
    /// - Parameters:
    ///   - folder: the run's folder; by default the first of `runs/NAME`, `runs/NAME-2`, … that is not there. One that
    ///     holds a run of this experiment is gone on with.
    ///   - devices: what to train on; by default every GPU that may be used, or the CPU where there is none.
    ///   - base: what the experiment's paths are relative to; the current folder if nil.
    ///   - program: the `pronghorn` program, which trains; nil: `PRONGHORN_BINARY`, else beside this program or in `PATH`.
    /// - Throws: what is wrong with the experiment itself. What shows later (the model, the data) ends the run's events.
    public func train(
        in folder: FilePath? = nil, devices: DeviceSelection = .auto, relativeTo base: FilePath? = nil,
        program: FilePath? = nil
    ) async throws(PronghornError) -> TrainingRun {
        do {
            try validate()
            let current = FilePath(FileManager.default.currentDirectoryPath)
            let request = Run.Request(
                experiment: self, text: "", folder: current.pushing(base ?? "").lexicallyNormalized(),
                devices: devices, executable: try ToolProgram.find(named: program), version: "library")
            return TrainingRun(
                request, in: current.pushing(folder ?? RunFolder.free(for: name)).lexicallyNormalized())
        } catch {
            throw PronghornError(error)
        }
    }
}
