import ArgumentParser
import Execution
import FoundationEssentials
import Ledger

/// Evaluates a run's models.
struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Says what a run's models measure on rows, as Model.evaluate does.",
        discussion: """
              pronghorn evaluate runs/digits --data '{x: test_x.npy, y: test_y.npy}'
              pronghorn evaluate runs/stores --data '{x: x.npy, y: y.npy, store: stores.npy}' --by --format csv

            Exit status: 0 when all was evaluated, 1 when the machine failed, 2 when the request is wrong.
            """)

    @OptionGroup var options: InferenceOptions

    @Option(help: "table, json or csv.")
    var format = Format.table

    @Flag(help: "The same as --format json.")
    var json = false

    /// How evaluations are printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json, csv
    }

    func run() async throws {
        try await Failure.reporting {
            let evaluations = try await options.inference().evaluate()
            let table = EvaluationTable(evaluations)
            switch json ? .json : format {
            case .table: Terminal.line(table.text(width: Terminal.width))
            case .json: Terminal.line(try table.json)
            case .csv: Terminal.write(table.csv)
            }
        }
    }
}

/// Evaluations for people and for programs.
struct EvaluationTable {
    private let evaluations: [Evaluation]
    private let metrics: [String]

    init(_ evaluations: [Evaluation]) {
        self.evaluations = evaluations
        let names = Set(evaluations.flatMap { $0.metrics.keys })
        metrics = (names.contains("loss") ? ["loss"] : []) + names.subtracting(["loss"]).sorted()
    }

    private var hasGroups: Bool { evaluations.contains { $0.group != nil } }

    func text(width: Int) -> String {
        let group: [(title: String, alignment: TextTable.Alignment)] = hasGroups ? [("group", .left)] : []
        var table = TextTable(columns: [("trial", .right)] + group + [("rows", .right)] + metrics.map { ($0, .right) })
        for one in evaluations {
            table.add(
                [String(one.trial.trial)] + (hasGroups ? [one.group ?? ""] : []) + [String(one.rows)]
                    + metrics.map { one.metrics[$0].map { ResultTable.number($0) } ?? "" })
        }
        return table.render(width: width)
    }

    var json: String {
        get throws {
            struct Object: Encodable {
                var trial: Int
                var group: String?
                var rows: Int
                var metrics: [String: Double?]
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            // What is not finite is null, as in results.
            let objects = evaluations.map { one in
                Object(
                    trial: one.trial.trial, group: one.group, rows: one.rows,
                    metrics: one.metrics.mapValues { $0.isFinite ? $0 : nil })
            }
            return String(decoding: try encoder.encode(objects), as: UTF8.self)
        }
    }

    var csv: String {
        var text = (["trial"] + (hasGroups ? ["group"] : []) + ["rows"] + metrics).map(quoted).joined(separator: ",")
        for one in evaluations {
            let fields =
                [String(one.trial.trial)] + (hasGroups ? [one.group ?? ""] : []) + [String(one.rows)]
                + metrics.map { one.metrics[$0].map { "\($0)" } ?? "" }
            text += "\n" + fields.map(quoted).joined(separator: ",")
        }
        return text + "\n"
    }

    /// A field as RFC 4180 quotes it.
    private func quoted(_ field: String) -> String {
        guard field.contains(where: { ",\"\r\n".contains($0) }) else { return field }
        return "\"\(field.replacing("\"", with: "\"\""))\""
    }
}
