import ArgumentParser
import Execution

/// An error as the command line ends with it: one message, and a status that tells a mistake from a mishap.
struct Failure: Error, CustomStringConvertible {
    /// Why the command ends.
    enum Kind {
        /// What was asked for cannot be done: status 2.
        case request
        /// The machine failed, or a trial did: status 1.
        case machine
    }

    var kind: Kind
    var description: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        description = message
    }

    /// Whatever was thrown, told from the user's point of view.
    init(_ error: any Error) {
        if let failure = error as? Failure {
            self = failure
        } else {
            self.init(RunError.Code(of: error) == .request ? .request : .machine, "\(error)")
        }
    }

    var status: ExitCode { kind == .request ? ExitCode(2) : ExitCode(1) }

    /// Runs a command's body; an error becomes a line on standard error and an exit status.
    ///
    /// - Parameter events: whether the line is an event, on standard output.
    static func reporting<Result>(events: Bool = false, _ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let code as ExitCode {
            throw code
        } catch {
            let failure = Failure(error)
            if events { Terminal.line(RunLine(error).text) } else { Terminal.error("error: \(failure.description)") }
            throw failure.status
        }
    }
}
