import Devices
import Execution
import Experiments
import FoundationEssentials

/// What `--events` prints: a JSON object a line, whose `event` says what it is (docs/Contracts.md, section 5).
struct RunLine: Encodable {
    /// How far a run is.
    ///
    /// Trials that callbacks end early count as all of their epochs.
    struct Progress: Encodable {
        var trials: Int
        var ended: Int
        var failed: Int
        var epochsDone: Int
        var epochs: Int
        /// The mean of each metric over the devices, of the epochs that they ended last.
        var metrics: [String: Double]

        enum CodingKeys: String, CodingKey {
            case trials, ended, failed, epochs, metrics
            case epochsDone = "epochs_done"
        }
    }

    private var event: String
    private var message: String?
    private var trials: Int?
    private var programs: Int?
    private var cohorts: Int?
    private var fitTrials: Int?
    private var devices: [String]?
    private var progress: Progress?
    private var summary: SummaryJSON?
    private var kind: String?
    private var key: String?
    private var detail: String?

    enum CodingKeys: String, CodingKey {
        case event, message, trials, programs, cohorts, devices, progress, summary, kind, key, detail
        case fitTrials = "fit_trials"
    }

    /// A line for an event that happens seldom; nil for those that ``RunState/progress`` sums up.
    init?(_ happened: RunEvent) {
        switch happened {
        case .preparing(let message):
            event = "preparing"
            self.message = message
        case .note(let message):
            event = "note"
            self.message = message
        case .planned(let plan):
            event = "planned"
            trials = plan.trials.count
            programs = plan.programs.count
            cohorts = plan.cohorts
            fitTrials = plan.fitTrials
            devices = plan.devices.map(\.name)
        case .trialsFailed(let trials, let message), .unitFailed(_, _, let trials, let message):
            event = "failed"
            self.trials = trials.count
            self.message = message
        default: return nil
        }
    }

    /// How far the run is.
    init(_ progress: Progress) {
        event = "progress"
        self.progress = progress
    }

    /// The last line of a run that was carried out.
    init(_ summary: SummaryJSON) {
        event = "summary"
        self.summary = summary
    }

    /// The last line of a run that was not.
    ///
    /// `kind` is `request` for what its user can mend, else `machine`.
    init(_ error: any Error) {
        let failure = Failure(error)
        event = "error"
        kind = failure.kind == .request ? "request" : "machine"
        message = failure.description
        if let error = error as? ExperimentError {
            key = error.key
            detail = error.detail
            // Without the place in a file that a program has written.
            var plain = error
            plain.position = nil
            plain.key = ""
            message = plain.description
        }
    }

    /// The line.
    var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        // Numbers, texts and lists of them are always written.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
