/// What is wrong with an experiment, and where.
public struct ExperimentError: Error, Sendable, Equatable {
    /// What kind of mistake it is.
    public enum Code: String, Sendable, Equatable, Codable {
        /// The file is not YAML.
        case syntax
        /// A key that means nothing here.
        case unknownKey
        /// A key that has to be there is not.
        case missingKey
        /// A value of the wrong type.
        case wrongType
        /// A value of the right type that cannot be meant.
        case invalidValue
        /// Two parts of the experiment that do not go together.
        case conflict
        /// Something that Pronghorn does not do.
        case unsupported
        /// The experiment does not fit the data, the model or the machine it names.
        case mismatch
    }

    /// What kind of mistake it is.
    public var code: Code
    /// Where it stands; `nil` for an experiment made in code.
    public var position: Position?
    /// The key, from the top of the file: `partition.folds`, `trials[2].units`; empty for the file as a whole.
    public var key: String
    /// What was found there, where that can be said in a word.
    public var found: String?
    /// What could stand there instead.
    public var accepted: [String]
    /// What happened, in one sentence without the position, the key and what is accepted.
    public var message: String
    /// Python's traceback, where it was the user's Python that raised.
    public var detail: String?

    /// An error about `key`.
    public init(
        code: Code, position: Position?, key: String, found: String? = nil, accepted: [String] = [], message: String
    ) {
        self.code = code
        self.position = position
        self.key = key
        self.found = found
        self.accepted = accepted
        self.message = message
    }

    /// The experiment file, or `nil` for an experiment made in code.
    public var file: String? { position?.file }
    /// The line, from 1, or `nil` where it stands in no file.
    public var line: Int? { position.flatMap { $0.override == nil ? $0.line : nil } }
    /// The column, from 1, or `nil` where it stands in no file.
    public var column: Int? { position.flatMap { $0.override == nil ? $0.column : nil } }
}

extension ExperimentError: CustomStringConvertible {
    /// One line: `experiment.yaml:7:3: partition.fold: unknown key 'fold'; accepted: by, folds (did you mean 'folds'?)`.
    public var description: String {
        var text = ""
        if let position { text += "\(position): " }
        if !key.isEmpty { text += "\(key): " }
        text += message
        if !accepted.isEmpty { text += "; accepted: \(accepted.joined(separator: ", "))" }
        if let found, let near = nearest(to: found, in: accepted) { text += " (did you mean '\(near)'?)" }
        return text
    }
}

/// The candidate that is a slip of the keyboard away from `word`, if one is.
func nearest(to word: String, in candidates: [String]) -> String? {
    let limit = max(1, word.count / 3)
    return candidates.map { ($0, editDistance(word.lowercased(), $0)) }
        .filter { $0.1 <= limit }
        .min { $0.1 < $1.1 }?.0
}

private func editDistance(_ from: String, _ to: String) -> Int {
    let from = Array(from)
    let to = Array(to)
    var row = Array(0...to.count)
    for (i, character) in from.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for j in to.indices {
            let substituted = diagonal + (character == to[j] ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
        }
    }
    return row[to.count]
}
