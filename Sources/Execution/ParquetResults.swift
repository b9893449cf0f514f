import Files
import FoundationEssentials
public import Ledger
import PythonEnvironment
import Subprocess
public import SystemPackage

/// A run's results as a Parquet file: the columns of ``ResultsCSV``, in types of their own.
public struct ParquetResults: Sendable {
    public var file: FilePath
    /// Whether a file that is there is replaced.
    public var replaces: Bool

    public init(to file: FilePath, replaces: Bool) {
        self.file = Folder.absolute(file)
        self.replaces = replaces
    }

    /// What `pronghorn.results_table` is told; its first lines say what the fields mean.
    private struct Job: Encodable {
        var output: String
        var types: [String: String]
        var table: String
    }

    /// Writes the file whole, or leaves what was there.
    ///
    /// - Parameter progress: is told when the Python that writes Parquet files is made first.
    /// - Throws: `RunError` for a file that is there already or cannot be written; `LedgerError`.
    public func write(
        _ ledger: Ledger, sortedBy ranking: Ranking?, filter: TrialFilter,
        progress: @escaping @Sendable (String) -> Void
    ) async throws {
        if !replaces, (try? FileStamp(of: file)) != nil {
            throw RunError(.request, "\(file) is there already; --force replaces it, --output names another file")
        }
        let csv = ResultsCSV(parameters: try ledger.parameterNames(), metrics: try ledger.metricNames())
        var table = ""
        try ledger.writeCSV(sortedBy: ranking, filter: filter) { table += $0 }
        let job = Job(output: file.string, types: csv.types.mapValues(\.rawValue), table: table)
        let python = try await ManagedPython.prepareForTables(progress: progress)
        let result = try await PythonProgram(
            python.interpreter, ["-m", "pronghorn.results_table"], environment: python.environment
        ).run(String(decoding: try JSONEncoder().encode(job), as: UTF8.self))
        guard result.status.isSuccess else {
            throw RunError(.machine, "\(file) cannot be written: \(result.errors.last ?? "\(result.status)")")
        }
    }
}
