/// Results as JSON: a list of objects, one a trial.
///
/// An object holds `trial`, `name`, `seed`, `parameters`, `partition`, `partition_label`, `rows`, `validation_rows`, `status`,
/// `message`, `metrics` (last values), `epochs`, `attempts`, `best_epoch`, `stopped_epoch`, `stopped_by`, `model`, `history` (lists by metric), `engine`,
/// `engine_reason`, `device` and `seconds`. What is not known is null, and so is a number that is not finite.
public enum ResultsJSON {
    /// One trial's object, on one line.
    public static func object(_ result: TrialResult) -> String {
        let plan = result.plan
        let metrics = MetricValues.ordered(result.metrics.keys)
        let history = MetricValues.ordered(result.history.keys)
        var object = Parameters()
        object["trial"] = .integer(plan.trial)
        object["name"] = .text(plan.name)
        object["seed"] = result.value(ofColumn: "seed")
        object["parameters"] = .object(plan.parameters)
        object["partition"] = plan.partition.map { .integer($0) } ?? .null
        object["partition_label"] = plan.partitionLabel.map { .text($0) } ?? .null
        object["rows"] = .integer(plan.rows)
        object["validation_rows"] = .integer(plan.validationRows)
        object["status"] = .text(result.status.rawValue)
        object["message"] = result.message.map { .text($0) } ?? .null
        object["metrics"] = .object(
            Parameters(unchecked: metrics.map { .init($0, .number(result.metrics[$0] ?? .nan)) }))
        object["epochs"] = .integer(result.epochs)
        object["attempts"] = .integer(result.attempts)
        object["best_epoch"] = result.bestEpoch.map { .integer($0) } ?? .null
        object["stopped_epoch"] = result.stop.map { .integer($0.epoch) } ?? .null
        object["stopped_by"] = result.stop.map { .text($0.by) } ?? .null
        object["model"] = result.model.map { .text($0) } ?? .null
        object["history"] = .object(
            Parameters(
                unchecked: history.map { name in
                    .init(name, .list((result.history[name] ?? []).map { .number($0) }))
                }))
        object["engine"] = .text(plan.engine)
        object["engine_reason"] = plan.engineReason.map { .text($0) } ?? .null
        object["device"] = result.device.map { .text($0) } ?? .null
        object["seconds"] = result.seconds.map { .number($0) } ?? .null
        return ParameterValue.object(object).json
    }

    /// A whole list, a line an object.
    public static func list(_ results: some Sequence<TrialResult>) -> String {
        let objects = results.map(object)
        return objects.isEmpty ? "[]\n" : "[\n" + objects.joined(separator: ",\n") + "\n]\n"
    }

    /// Group summaries: a list of objects with the keys, `metric`, `count`, `missing`, `mean`, `standard_deviation`,
    /// `minimum`, `maximum` and `best` (a trial's number).
    public static func groups(_ groups: [GroupSummary], metric: String) -> String {
        let objects = groups.map { group in
            var object = Parameters()
            object["keys"] = .object(group.keys)
            object["metric"] = .text(metric)
            object["count"] = .integer(group.count)
            object["missing"] = .integer(group.missing)
            object["mean"] = .number(group.mean)
            object["standard_deviation"] = .number(group.standardDeviation)
            object["minimum"] = .number(group.minimum)
            object["maximum"] = .number(group.maximum)
            object["best"] = group.best.map { .integer($0) } ?? .null
            return ParameterValue.object(object).json
        }
        return objects.isEmpty ? "[]\n" : "[\n" + objects.joined(separator: ",\n") + "\n]\n"
    }
}

extension Ledger {
    /// Hands over, piece by piece, the JSON list of all results.
    public func writeJSON(
        sortedBy ranking: Ranking? = nil, filter: TrialFilter = .all, to output: (String) throws -> Void
    ) throws(LedgerError) {
        var separator = "[\n"
        try forEachResult(sortedBy: ranking, filter: filter) { result in
            try output(separator + ResultsJSON.object(result))
            separator = ",\n"
        }
        do {
            try output(separator == "[\n" ? "[]\n" : "\n]\n")
        } catch {
            throw .wrap(error, "Writing the results", path)
        }
    }
}
