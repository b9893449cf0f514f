public import Experiments
import Files
import FoundationEssentials
public import SystemPackage

/// The arrays that a Python function has returned, as `python -m pronghorn.prepare_data` leaves them in a folder.
public struct PreparedData: Sendable, Equatable {
    /// The file that lists the arrays, which is written last.
    public static let fileName = "data.json"

    private var arrays: [Listed]

    /// One array of the list.
    private struct Listed: Sendable, Equatable, Decodable {
        var name: String
        var role: Role
        var file: FilePath

        enum Role: String, Decodable {
            case x, y, column
            case sampleWeight = "sample_weight"
        }

        enum CodingKeys: CodingKey { case name, role, file }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            name = try values.decode(String.self, forKey: .name)
            role = try values.decode(Role.self, forKey: .role)
            file = FilePath(try values.decode(String.self, forKey: .file))
        }
    }

    private struct List: Decodable {
        var arrays: [Listed]
    }

    /// Reads the list of a folder.
    public init(_ folder: FilePath) throws(DatasetsError) {
        let file = folder.appending(Self.fileName)
        do {
            let mapped = try MappedFile(file)
            let list = try mapped.withBytes { try JSONDecoder().decode(List.self, from: Data($0)) }
            arrays = list.arrays.map { listed in
                var listed = listed
                listed.file = folder.pushing(listed.file)
                return listed
            }
        } catch {
            throw DatasetsError(
                code: .cache, message: "\(file), which lists what a data function returned, cannot be read: \(error)",
                cause: error)
        }
    }

    /// What the experiment then says of its data: the arrays in their files, and the function that they are of.
    public func description(of function: FunctionReference) -> DataDescription {
        func sources(_ role: Listed.Role) -> [ArraySource] {
            arrays.filter { $0.role == role }.map { ArraySource($0.name, $0.file.string) }
        }
        return DataDescription(
            x: sources(.x), y: sources(.y), sampleWeight: sources(.sampleWeight).first, columns: sources(.column),
            function: function)
    }
}

extension Experiment {
    /// The functions that are to be called before the data can be opened, with the keys that name them.
    public var dataFunctions: [(key: String, function: FunctionReference)] {
        var functions: [(key: String, function: FunctionReference)] = []
        if data.awaitsFunction, let function = data.function { functions.append(("data", function)) }
        if case .data(let validation) = fit.validation, validation.awaitsFunction, let function = validation.function {
            functions.append((validationKey, function))
        }
        return functions
    }

    /// The experiment with what the functions returned in their place, held to the rules once more.
    ///
    /// - Parameter prepared: For each key of ``dataFunctions``, what the function returned.
    /// - Throws: What only shows now: a column that the experiment names and the function did not return.
    public func resolving(_ prepared: [String: PreparedData]) throws(ExperimentError) -> Experiment {
        var experiment = self
        for (key, function) in dataFunctions {
            guard let description = prepared[key]?.description(of: function) else { continue }
            if description.x.isEmpty {
                throw error(at: key, "\(function) returned no 'x', the inputs of the model")
            }
            if key == "data" { experiment.data = description } else { experiment.fit.validation = .data(description) }
        }
        try experiment.validate()
        return experiment
    }
}
