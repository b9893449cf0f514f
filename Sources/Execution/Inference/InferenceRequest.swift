public import Devices
import Experiments
import Files
public import SystemPackage

/// What a run's models are to be used on, and which of them.
public struct InferenceRequest: Sendable {
    /// The run's folder.
    public var run: FilePath
    /// The rows: what `data` of an experiment file says, or the path of an NPZ file; nil: the run's own data.
    public var data: String?
    public var trials: Choice
    public var use: Use
    /// Rows a batch, as `batch_size` of `Model.predict`.
    public var batchSize: Int
    public var devices: DeviceSelection
    /// The program that has the verb `runner`.
    public var executable: FilePath

    public init(
        run: FilePath, data: String?, trials: Choice, use: Use, batchSize: Int, devices: DeviceSelection,
        executable: FilePath
    ) {
        self.run = Folder.absolute(run)
        self.data = data
        self.trials = trials
        self.use = use
        self.batchSize = batchSize
        self.devices = devices
        self.executable = executable
    }

    /// Which rows each model is used on.
    public enum Use: Sendable {
        /// All rows.
        case all
        /// Those of its group, by the column that the run was divided by.
        case ofGroup
        /// Those of the run's own data that it was validated on and has not been trained on.
        case heldOut
    }

    /// Which trials' models.
    public enum Choice: Sendable {
        /// All that have finished with one.
        case all
        /// Those of these numbers.
        case numbers([Int])
        /// The one whose last value of a metric is best; by group, the best of each.
        case best(String)
    }
}

extension InferenceRequest {
    /// The rows as an experiment of their own, with the folder that its paths are relative to.
    func experiment(of description: RunDescription) throws -> (experiment: Experiment, folder: FilePath) {
        var experiment: Experiment
        var folder = Folder.absolute(FilePath("."))
        if let data {
            let isArchive = data.hasSuffix(".npz") && !data.hasPrefix("{")
            let text = isArchive ? "{npz: \(quoted(data))}" : data
            do {
                experiment = try Experiment(
                    yaml: "model: model.keras\ndata: {x: x.npy}\n", file: "--data", overrides: ["data=\(text)"])
            } catch {
                throw Self.fromCommandLine(error)
            }
        } else {
            experiment = description.experiment
            folder = FilePath(description.folder)
            experiment.fit = FitOptions()
            experiment.space = .product([])
            experiment.callbacks = []
        }
        if data != nil, experiment.data.table != nil, description.experiment.data.table != nil {
            throw RunError(
                .request,
                "--data: the run was trained on a table, whose encodings of words and categories a new table would "
                    + "not have; give arrays")
        }
        experiment.file = nil
        experiment.positions = [:]
        experiment.partition = .none
        experiment.within = nil
        experiment.testSet = nil
        if use == .ofGroup {
            guard case .by(let column, _) = description.experiment.partition else {
                throw RunError(
                    .request,
                    "--by: the run was not divided by a column (`partition: {by: COLUMN}`), so that rows "
                        + "belong to none of its models more than to another")
            }
            guard description.experiment.within == nil else {
                throw RunError(
                    .request,
                    "--by: the run divided each group of '\(column)' again (`within`), so that no model is that of a whole group; "
                        + "predict a group's rows by themselves, with --trials and the numbers of its models")
            }
            experiment.partition = .by(column: column)
            guard experiment.data.mayHoldColumn(column) else {
                throw RunError(
                    .request,
                    "--by: the data has no column '\(column)', by which the run was divided; name it too, as in "
                        + "--data '{x: x.npy, \(column): \(column).npy}'")
            }
        }
        return (experiment, folder)
    }

    private func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }

    /// The error without a place in a file that the user has never written.
    static func fromCommandLine(_ error: ExperimentError) -> ExperimentError {
        var error = error
        error.position = nil
        return error
    }
}
