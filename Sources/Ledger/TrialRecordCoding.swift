extension TrialRecord {
    /// The record as one line of JSON, for a list of trials that outlives the ledger.
    public var line: String {
        var object = Parameters()
        object["trial"] = .integer(trial)
        object["name"] = .text(name)
        object["seed"] = .integer(Int(bitPattern: UInt(seed)))
        object["parameters"] = .object(parameters)
        object["partition"] = partition.map { .integer($0) } ?? .null
        object["partition_label"] = partitionLabel.map { .text($0) } ?? .null
        object["rows"] = .integer(rows)
        object["validation_rows"] = .integer(validationRows)
        object["planned_epochs"] = .integer(plannedEpochs)
        object["engine"] = .text(engine)
        return ParameterValue.object(object).json
    }

    /// The record of a line that ``line`` made.
    public init(line: some StringProtocol) throws(LedgerError) {
        func unreadable() -> LedgerError { LedgerError(.corrupt, "no trial is recorded by the line \(line)") }
        guard let value = try? JSON.parse(String(line)), case .object(let object) = value,
            case .integer(let trial)? = object["trial"], case .text(let name)? = object["name"],
            case .integer(let seed)? = object["seed"], case .object(let parameters)? = object["parameters"],
            case .integer(let rows)? = object["rows"], case .integer(let validationRows)? = object["validation_rows"],
            case .integer(let epochs)? = object["planned_epochs"], case .text(let engine)? = object["engine"]
        else { throw unreadable() }
        var partition: Int?
        if case .integer(let number)? = object["partition"] { partition = number }
        var label: String?
        if case .text(let text)? = object["partition_label"] { label = text }
        self.init(
            trial: trial, name: name, seed: UInt64(UInt(bitPattern: seed)), parameters: parameters,
            partition: partition, partitionLabel: label, rows: rows, validationRows: validationRows,
            plannedEpochs: epochs, engine: engine)
    }
}
