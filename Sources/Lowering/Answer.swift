import FoundationEssentials
import SystemPackage

/// A line that the lowering process answers with; see `docs/Contracts.md`, section 1.
struct Answer: Decodable, Sendable {
    var id: Int?
    var event: Event
    var message: String?
    var code: String?
    var file: String?
    var line: Int?
    var detail: String?
    var splits: String?
    var needs: String?
    var key: String?
    var accepted: [String]?
    var seconds: Double?

    enum Event: String, Decodable, Sendable {
        case progress, done, failed
    }

    /// Reads a line; nil if it is not an answer.
    init?(line: String) {
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(line.utf8)) else { return nil }
        self = answer
    }

    /// The error that a failed request ends with.
    var error: LoweringError {
        var error = LoweringError(
            code: LoweringError.Code(code ?? "internal"), message: message ?? "the lowering process gave no reason",
            file: file.map { FilePath($0) }, line: line, detail: detail, splits: splits, needs: needs)
        error.key = key
        error.accepted = accepted ?? []
        return error
    }
}
