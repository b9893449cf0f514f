import ArgumentParser
import Execution
import FoundationEssentials
import Ledger
import SystemPackage

/// Prints what came out of a run.
struct ResultsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "results",
        abstract: "Prints the results of a run, also while it goes on.",
        discussion: """
              pronghorn results runs/digits                              a table, the best first
              pronghorn results runs/digits --sort val_accuracy          by another metric
              pronghorn results runs/digits --group-by learning_rate     mean ± deviation over seeds and folds
              pronghorn results runs/digits --format csv > digits.csv
              pronghorn results runs/digits --format parquet --output digits.parquet
              pronghorn results runs/digits --json                       everything, with the history of every metric
            """)

    @Argument(help: "The run's folder.")
    var folder: String

    @Option(help: "The metric to sort by; by default val_loss, or loss.")
    var sort: String?

    @Option(help: "Parameters to group by, separated by commas; `partition` is one too.")
    var groupBy: String?

    @Option(help: "table, json, csv or parquet.")
    var format = Format.table

    @Option(help: "The file to write, with --format parquet.")
    var output: String?

    @Flag(help: "Replaces a file that is there.")
    var force = false

    @Flag(help: "The same as --format json.")
    var json = false

    @Option(help: "At most so many trials.")
    var limit: Int?

    /// How results are printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json, csv, parquet
    }

    func validate() throws {
        if format == .parquet, output == nil {
            throw ValidationError("a Parquet file is no text: name it by --output FILE.parquet")
        }
        if format != .parquet, output != nil || force {
            throw ValidationError("--output and --force go with --format parquet; others are printed")
        }
    }

    func run() async throws {
        try await Failure.reporting {
            let ledger = try Terminal.ledger(of: folder)
            let format = json ? .json : format
            let metrics = try ledger.metricNames()
            if let sort, !metrics.contains(sort) {
                throw Failure(
                    .request, "there is no metric '\(sort)' in \(folder); there is \(metrics.joined(separator: ", "))")
            }
            // What is printed for people begins with the best; programs get the trials in order unless they ask.
            let metric =
                sort ?? (format == .table || groupBy != nil ? metrics.first { $0 == "val_loss" } ?? metrics.first : nil)
            let ranking = metric.map { RunFolder(FilePath(folder)).ranking(by: $0) }
            if let groupBy { return try printGroups(ledger, groupBy, ranking, format) }
            switch format {
            case .table:
                let results = try ledger.results(sortedBy: ranking, filter: TrialFilter(limit: limit), history: false)
                Terminal.line(ResultTable.results(results, by: metric, width: Terminal.width))
                let input = try InputReport(of: FilePath(folder), ledger, listens: false)
                if !input.files.isEmpty { Terminal.line("data: \(InputText.sizes(input))") }
            case .json:
                try ledger.writeJSON(sortedBy: ranking, filter: TrialFilter(limit: limit)) { Terminal.write($0) }
                Terminal.write("\n")
            case .csv:
                try ledger.writeCSV(sortedBy: ranking, filter: TrialFilter(limit: limit)) { Terminal.write($0) }
            case .parquet:
                try await ParquetResults(to: FilePath(output ?? ""), replaces: force).write(
                    ledger, sortedBy: ranking, filter: TrialFilter(limit: limit)
                ) { Terminal.error($0) }
            }
        }
    }

    private func printGroups(_ ledger: Ledger, _ keys: String, _ ranking: Ranking?, _ format: Format) throws {
        guard let ranking else { throw Failure(.request, "no trial of \(folder) has ended an epoch yet") }
        let names = keys.split(separator: ",").map { $0.trimmed }
        let known = try ledger.parameterNames() + ["partition", "seed", "device", "status", "engine"]
        for name in names where !known.contains(name) {
            throw Failure(.request, "--group-by: there is no '\(name)'; there is \(known.joined(separator: ", "))")
        }
        let groups = try ledger.groups(by: names, comparing: ranking)
        switch format {
        case .table: Terminal.line(ResultTable.groups(groups, metric: ranking.metric, width: Terminal.width))
        case .json: Terminal.line(ResultsJSON.groups(groups, metric: ranking.metric))
        case .csv, .parquet: throw Failure(.request, "groups are printed as a table or as JSON")
        }
    }
}

extension Substring {
    /// The text without the spaces around it.
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
