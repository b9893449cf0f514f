import GRDB

extension Ledger {
    /// Brings the run's trials up to what its experiment has become: more of them, or more epochs for those there are.
    ///
    /// What is finished and shall be trained for more epochs waits again, with all it has; trials that a callback has ended do
    /// not, since more epochs would not have been theirs.
    ///
    /// - Parameters:
    ///   - trials: all trials of the run, in the order of their numbers; the first ones are those that it has.
    ///   - experiment: the experiment file's text now; nil: as it was.
    public func extend(to trials: [TrialRecord], experiment: String?) throws(LedgerError) {
        let known = try results(history: false)
        if trials.count > known.count { try add(trials: Array(trials.dropFirst(known.count))) }
        try write("Recording what the run has become") { db in
            if let experiment { try db.execute(sql: "UPDATE run SET experiment = ?", arguments: [experiment]) }
            for (trial, known) in zip(trials, known) where trial.plannedEpochs > known.plan.plannedEpochs {
                let waits = known.status == .finished && known.stop == nil
                try db.execute(
                    sql: "UPDATE trials SET planned_epochs = ?, status = ? WHERE trial = ?",
                    arguments: [
                        trial.plannedEpochs, (waits ? TrialStatus.waiting : known.status).rawValue, trial.trial,
                    ])
            }
        }
    }
}
