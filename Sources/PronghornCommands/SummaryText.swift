import Execution
import Experiments
import Ledger
import SystemPackage

/// What a run ends with on a terminal: the best trials, means and deviations, how busy the devices were.
enum SummaryText {
    static func show(_ summary: RunSummary, of experiment: Experiment) throws {
        let ledger = try Terminal.ledger(of: summary.output)
        let ranking = RunFolder(FilePath(summary.output)).ranking(by: experiment.resolved(Monitor()).metric)
        let metric = ranking.metric
        let best = try ledger.results(
            sortedBy: ranking, filter: TrialFilter(statuses: [.finished], limit: 5), history: false)
        if !best.isEmpty {
            Terminal.line("The best of \(Quantity.count(summary.finished, "trial")) by \(metric):")
            Terminal.line(ResultTable.results(best, by: metric, width: Terminal.width))
        }
        try showMeans(ledger, ranking)
        for failure in try ledger.results(
            filter: TrialFilter(statuses: [.failed, .diverged], limit: 3), history: false)
        {
            Terminal.line("trial \(failure.name) \(failure.status.rawValue): \(failure.message ?? "")")
            if failure.status == .failed { showLog(of: failure, in: summary.output, ledger) }
        }
        let busy = summary.devices.map { device in
            let share = summary.trainSeconds > 0 ? device.busySeconds / summary.trainSeconds : 0
            return "\(device.device) \(Quantity.fixed(min(1, share) * 100, 0))%"
        }
        Terminal.line(
            "\(summary.finished) of \(Quantity.count(summary.trials, "trial")) finished"
                + (summary.diverged > 0 ? ", \(summary.diverged) diverged" : "") + " in "
                + "\(Quantity.seconds(summary.wallSeconds)), \(Quantity.seconds(summary.trainSeconds)) of it training"
                + (busy.isEmpty ? "" : "; busy: " + busy.joined(separator: ", ")))
        if let text = summary.summary { Terminal.line("Summary: \(text)") }
        Terminal.line("Results: \(summary.output)  (pronghorn results \(summary.output))")
    }

    /// The end of what the runner wrote about a trial that failed, and where the whole is.
    private static func showLog(of failure: TrialResult, in run: String, _ ledger: Ledger) {
        guard let log = try? UnitLog.all(of: failure.trial, in: FilePath(run), ledger).last else { return }
        let lines = UnitLog.tellingLines(8, of: log.path)
        if lines.isEmpty { return }
        // A process that died has its last lines in the message.
        if failure.message?.contains(lines.last ?? "") == false { lines.forEach { Terminal.line("  | \($0)") } }
        Terminal.line("  its log: pronghorn logs \(run) \(failure.trial)")
    }

    /// The mean of every metric over all trials, and over seeds and folds for each of the other settings.
    private static func showMeans(_ ledger: Ledger, _ ranking: Ranking) throws {
        let metrics = try ledger.metricNames()
        // One trial has no deviation, and its values stand above.
        let means = try metrics.compactMap { name -> String? in
            guard let all = try ledger.groups(by: [], comparing: Ranking(name, .lower)).first, all.count > 1 else {
                return nil
            }
            return "\(name) \(Quantity.fixed(all.mean, 4)) ± \(Quantity.fixed(all.standardDeviation, 4))"
        }
        if !means.isEmpty { Terminal.line("Mean ± deviation over all: \(means.joined(separator: ", "))") }
        let keys = try ledger.parameterNames().filter { $0 != "seed" }
        guard !keys.isEmpty else { return }
        let groups = try ledger.groups(by: keys, comparing: ranking)
        if groups.count > 1, groups.count <= 20 {
            Terminal.line("\(ranking.metric) over seeds and partitions:")
            Terminal.line(ResultTable.groups(groups, metric: ranking.metric, width: Terminal.width))
        }
    }
}
