/// Which layers of the model are adapted to the rows that each trial trains on, as `layer.adapt(rows)` before `Model.fit` would.
public enum AdaptedLayers: Sendable, Equatable {
    /// All that learn from data before training, but for those that were given what they would learn.
    case all
    /// Those of these names.
    case named([String])
}

extension AdaptedLayers: Codable {
    /// As in an experiment file: `true`, or a list of names.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let names = try? container.decode([String].self) {
            self = .named(names)
        } else if try container.decode(Bool.self) {
            self = .all
        } else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "neither true nor a list of layers")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .all: try container.encode(true)
        case .named(let names): try container.encode(names)
        }
    }
}

extension Experiment {
    func validateAdaptedLayers() throws(ExperimentError) {
        guard case .named(let names)? = adapt else { return }
        if names.isEmpty {
            throw error(
                .invalidValue, at: "adapt", "names no layer", accepted: ["true", "false", "the names of layers"])
        }
        for (index, name) in names.enumerated() where names[..<index].contains(name) {
            throw error(.invalidValue, at: "adapt[\(index)]", "the layer '\(name)' is there already", found: name)
        }
    }
}
