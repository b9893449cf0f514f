import Files
import FoundationEssentials
import Ledger
import PythonEnvironment
import Subprocess
public import SystemPackage

/// Writes a run as one HTML page, which loads nothing.
///
/// The page is drawn by Plotly's script, which the Python package `plotly` ships: it is taken from there when the page is
/// written. The run may still go on; the page then shows what there is.
public struct Reporting: Sendable {
    public var run: FilePath
    public var output: FilePath
    /// What trials are compared by; nil: `val_loss`, or the first metric there is.
    public var metric: String?

    public init(run: FilePath, output: FilePath?, metric: String?) {
        self.run = Folder.absolute(run)
        self.output = output.map { Folder.absolute($0) } ?? self.run.appending("report.html")
        self.metric = metric
    }

    /// What `pronghorn.report` is told besides the trials; its first lines say what the fields mean.
    private struct Job: Encodable {
        var output: String
        var run: About
        var metric: String?
        var directions: [String: String]
        var devices: [Use]
        var units: [Bar]
        var epochs: [String: [String: [Int]]]

        struct About: Encodable {
            var name: String
            var state: String
            var tool: String
            var created: Double
            var seconds: Double
            var experiment: String
        }

        struct Use: Encodable {
            var device: String
            var busy: Double
            var wall: Double
        }

        struct Bar: Encodable {
            var unit: String
            var device: String
            var status: String
            var trials: Int
            var lanes: Int
            var started: Double
            var ended: Double?
        }
    }

    /// Writes the page.
    ///
    /// - Throws: `RunError` and `LedgerError` for a folder that holds no run, or a metric that no trial has.
    public func write(_ progress: @escaping @Sendable (String) -> Void) async throws {
        let ledger = try RunFolder(run).readLedger(note: progress)
        let metrics = try ledger.metricNames()
        if let metric, !metrics.contains(metric) {
            throw RunError(
                .request, "there is no metric '\(metric)' in \(run); there is \(metrics.joined(separator: ", "))")
        }
        let now = Date().timeIntervalSince1970
        let about = try ledger.progress(at: now)
        var trials = ""
        var partial: [Int] = []
        try ledger.forEachResult { result in
            trials += (trials.isEmpty ? "[" : ",\n") + ResultsJSON.object(result)
            if Set(result.history.values.map(\.count)).count > 1 { partial.append(result.trial) }
        }
        trials += trials.isEmpty ? "[]" : "]"
        var epochs: [String: [String: [Int]]] = [:]
        for trial in partial {
            for (epoch, metrics) in try ledger.epochs(of: trial) {
                for name in metrics.keys { epochs[String(trial), default: [:]][name, default: []].append(epoch) }
            }
        }
        let job = Job(
            output: output.string,
            run: Job.About(
                name: about.run.name, state: about.run.state.rawValue, tool: about.run.tool,
                created: about.run.created, seconds: about.elapsed, experiment: about.run.experiment),
            metric: metric ?? metrics.first { $0 == "val_loss" } ?? metrics.first,
            directions: Dictionary(
                RunFolder(run).rankings(by: metrics).map { ($0.metric, $0.direction.rawValue) }
            ) { first, _ in first },
            devices: about.devices.map {
                Job.Use(device: $0.device, busy: $0.busySeconds, wall: $0.wallSeconds)
            },
            units: try ledger.units().map {
                Job.Bar(
                    unit: $0.id, device: $0.device, status: $0.status.rawValue, trials: $0.trials.count,
                    lanes: $0.lanes, started: $0.started, ended: $0.ended)
            }, epochs: epochs)
        try await draw(job, trials, progress)
    }

    private func draw(_ job: Job, _ trials: String, _ progress: @escaping @Sendable (String) -> Void) async throws {
        let python = try await ManagedPython.prepareForReports(progress: progress)
        let head = String(decoding: try JSONEncoder().encode(job), as: UTF8.self)
        let result = try await PythonProgram(
            python.interpreter, ["-m", "pronghorn.report"], environment: python.environment
        ).run("\(head.dropLast()), \"trials\": \(trials)}")
        guard result.status.isSuccess else {
            let words =
                result.errors.last ?? "\(result.status)"
            throw RunError(.machine, "\(output) cannot be written: \(words)")
        }
    }
}
