import ArgumentParser
import Devices
import Execution
import SystemPackage

/// What `predict` and `evaluate` have in common: which models, on which rows, where.
struct InferenceOptions: ParsableArguments {
    @Argument(help: "The run's folder; the run may still go on.")
    var folder: String

    @Option(
        help: """
            The rows: FILE.npz, FILE.py:FUNCTION, or what `data` of an experiment file says, as '{x: x.npy, y: y.npy}'; paths \
            are relative to the current folder. By default the run's own data.
            """)
    var data: String?

    @Flag(help: "Each row is for the models of its group, where the run has `partition: {by: COLUMN}`.")
    var by = false

    @Option(parsing: .upToNextOption, help: "Only the trials of these numbers.")
    var trials: [Int] = []

    @Option(help: "Only the trial whose last value of this metric is best; with --by, the best of each group.")
    var best: String?

    @Option(help: "Rows a batch.")
    var batchSize = 32

    @Option(help: "What to compute on: auto (all GPUs, else the CPU), cpu, cpu:N, cuda, or cuda:0,2.")
    var devices = "auto"

    func validate() throws {
        if !trials.isEmpty, best != nil {
            throw ValidationError("--trials names the trials already: leave out --best, or --trials")
        }
        guard (1...1_000_000).contains(batchSize) else {
            throw ValidationError("--batch-size must be from 1 to 1000000, found \(batchSize)")
        }
    }

    /// What the options ask for.
    ///
    /// - Parameter heldOut: whether each model is used on the rows that it was validated on.
    func inference(heldOut: Bool = false) throws -> Inference {
        let choice: InferenceRequest.Choice =
            if let best { .best(best) } else if trials.isEmpty { .all } else { .numbers(trials) }
        return Inference(
            InferenceRequest(
                run: FilePath(folder), data: data, trials: choice, use: heldOut ? .heldOut : by ? .ofGroup : .all,
                batchSize: batchSize,
                devices: try DeviceSelection.parse(devices), executable: try RunOptions.executable())
        ) { Terminal.error($0) }
    }
}
