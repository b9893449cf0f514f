import Datasets
import Experiments
import Files
import Ledger
import SystemPackage

extension Preparation {
    /// A trial as the ledger records it.
    func record(of trial: Trial) -> TrialRecord {
        let partition = rows(of: trial)
        return TrialRecord(
            trial: trial.index, name: trial.name, seed: trial.seed, parameters: Self.parameters(of: trial),
            partition: experiment.partition == .none ? nil : trial.partition, partitionLabel: trial.partitionLabel,
            rows: partition.training.count, validationRows: partition.validation?.count ?? 0,
            plannedEpochs: trial.fit.epochs, engine: "native")
    }

    /// With `save: {top: N}`: removes the models of all but the best trials, which were kept until it was known.
    func keepTop(in folder: RunFolder, _ ledger: Ledger) throws {
        guard let top = experiment.save.top, !experiment.save.all else { return }
        let (metric, less) = experiment.resolved(top.monitor)
        let ranked = try ledger.results(
            sortedBy: Ranking(metric, lessIsBetter: less), filter: .finished, history: false)
        let diverged = try ledger.results(filter: TrialFilter(statuses: [.diverged]), history: false)
        let others = ranked.dropFirst(top.count) + diverged
        for result in others where result.model?.hasSuffix("\(result.name).keras") ?? false {
            if let model = result.model { try Folder.remove(own: folder.path.pushing(FilePath(model))) }
        }
        try ledger.finish(
            others.map {
                TrialEnd(
                    trial: $0.trial, model: nil, bestEpoch: $0.bestEpoch, trainSeconds: $0.seconds, stop: $0.stop,
                    divergence: $0.status == .diverged ? $0.message : nil)
            },
            at: 0)
    }
}

extension LedgerValue {
    /// A value of the experiment as the ledger keeps it.
    init(_ value: Experiments.ParameterValue) {
        switch value {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .integer(value)
        case .double(let value): self = .number(value)
        case .string(let value): self = .text(value)
        case .list(let values): self = .list(values.map { Self($0) })
        case .mapping: self = .text(value.json)
        }
    }
}
