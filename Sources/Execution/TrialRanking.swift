import Experiments
public import Ledger

extension RunFolder {
    /// What it means to be the best of the run's trials by a metric: as the run's experiment says (`mode`), or else the metric's name.
    public func ranking(by metric: String) -> Ranking {
        rankings(by: [metric])[0]
    }

    func rankings(by metrics: [String]) -> [Ranking] {
        let experiment = RunDescription.found(in: self)?.experiment
        return metrics.map { metric in
            Ranking(metric, lessIsBetter: experiment?.lessIsBetter(metric) ?? !MetricName.growsWithQuality(metric))
        }
    }
}

extension Ranking {
    init(_ metric: String, lessIsBetter: Bool) {
        self.init(metric, lessIsBetter ? .lower : .higher)
    }
}
