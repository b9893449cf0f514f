public import Devices
public import Execution
public import Experiments
import Files
import FoundationEssentials
public import SystemPackage

extension Experiment {
    /// Trains every trial on every device of this machine, from one call.
    ///
    /// ```swift
    /// let experiment = try Experiment(
    ///     model: .function("models.py", "build"), data: DataDescription(x: "x.npy", y: "y.npy"),
    ///     partition: .count(8), axes: [Axis("seed", 0..<16)], fit: FitOptions(epochs: 10))
    /// let summary = try await experiment.train(in: "runs/stores", devices: .auto)
    /// ```
    ///
    /// - Parameters:
    ///   - output: the folder that models and the ledger come into; it must hold no run yet.
    ///   - folder: what the experiment's paths are relative to; the current folder if nil.
    ///   - executable: the `pronghorn` program, which works as runner; the variable `PRONGHORN_EXECUTABLE` if nil.
    ///   - report: called with what happens, from any thread.
    /// - Throws: `ExperimentError` for what is wrong with the experiment, its model or its data, `DevicesError` for
    ///   devices that are not there, `RunError` for the rest. A trial that fails is no error: the summary counts it.
    public func train(
        in output: FilePath, devices: DeviceSelection = .auto, relativeTo folder: FilePath? = nil,
        executable: FilePath? = nil, report: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) async throws -> RunSummary {
        let program =
            executable ?? ProcessInfo.processInfo.environment["PRONGHORN_EXECUTABLE"].map { FilePath($0) }
            ?? "pronghorn"
        let request = Run.Request(
            experiment: self, text: "", folder: folder ?? FilePath(FileManager.default.currentDirectoryPath),
            devices: devices, executable: program, version: "library")
        return try await Run(request, report: report).train(in: output)
    }
}
