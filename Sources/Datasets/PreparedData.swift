public import Experiments
import Files
import FoundationEssentials
public import SystemPackage

/// The arrays that a Python function has returned or that a table was made into, as `python -m pronghorn.prepare_data` or
/// `pronghorn.prepare_table` leaves them in a folder.
public struct PreparedData: Sendable, Equatable {
    /// The file that lists the arrays, which is written last.
    public static let fileName = "data.json"

    /// How many rows a table has, and how many of them were left out since values are missing; nil for functions.
    public let counts: RowCounts?

    /// The rows of a table.
    public struct RowCounts: Sendable, Equatable, Decodable {
        /// How many were read.
        public var read: Int
        /// How many of them were left out.
        public var dropped: Int
    }

    private var arrays: [Listed]

    /// One array of the list.
    private struct Listed: Sendable, Equatable, Decodable {
        var name: String
        var role: Role
        var file: FilePath
        var fills: [ArraySource.Fill]

        enum Role: String, Decodable {
            case x, y, column
            case sampleWeight = "sample_weight"
        }

        enum CodingKeys: CodingKey { case name, role, file, fills }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            name = try values.decode(String.self, forKey: .name)
            role = try values.decode(Role.self, forKey: .role)
            file = FilePath(try values.decode(String.self, forKey: .file))
            fills = try values.decodeIfPresent([ArraySource.Fill].self, forKey: .fills) ?? []
        }
    }

    private struct List: Decodable {
        var arrays: [Listed]
        var rows: RowCounts?
    }

    /// Reads the list of a folder.
    public init(_ folder: FilePath) throws(DatasetsError) {
        let file = folder.appending(Self.fileName)
        do {
            let mapped = try MappedFile(file)
            let list = try mapped.withBytes { try JSONDecoder().decode(List.self, from: Data($0)) }
            counts = list.rows
            arrays = list.arrays.map { listed in
                var listed = listed
                listed.file = folder.pushing(listed.file)
                return listed
            }
        } catch {
            throw DatasetsError(
                code: .cache, message: "\(file), which lists the arrays of the data, cannot be read: \(error)",
                cause: error)
        }
    }

    /// What the experiment then says of its data: the arrays in their files, and what they are made of.
    public func description(of data: DataDescription) -> DataDescription {
        func sources(_ role: Listed.Role) -> [ArraySource] {
            arrays.filter { $0.role == role }.map { listed in
                var source = ArraySource(listed.name, listed.file.string)
                source.fills = listed.fills
                return source
            }
        }
        return DataDescription(
            x: sources(.x), y: sources(.y), sampleWeight: sources(.sampleWeight).first, columns: sources(.column),
            function: data.function, table: data.table, images: data.images)
    }
}

extension Experiment {
    /// The functions that are to be called before the data can be opened, with the keys that name them.
    public var dataFunctions: [(key: String, function: FunctionReference)] {
        awaited.compactMap { place in place.data.function.map { (place.key, $0) } }
    }

    /// The tables that are to be read before the data can be opened, with the keys that name them; that to train on first.
    public var dataTables: [(key: String, table: TableDescription)] {
        awaited.compactMap { place in place.data.table.map { (place.key, $0) } }
    }

    /// The folders of images that are to be read, likewise.
    public var dataImages: [(key: String, images: ImageFolder)] {
        awaited.compactMap { place in place.data.images.map { (place.key, $0) } }
    }

    private var awaited: [(key: String, data: DataDescription)] {
        var places: [(key: String, data: DataDescription)] = []
        if data.awaitsArrays { places.append(("data", data)) }
        if case .data(let validation) = fit.validation, validation.awaitsArrays {
            places.append((validationKey, validation))
        }
        return places
    }

    /// The experiment with the arrays of its functions and tables in their place, held to the rules once more.
    ///
    /// - Parameter prepared: For each key of ``dataFunctions``, ``dataTables`` and ``dataImages``, the arrays.
    /// - Throws: What only shows now: a column that the experiment names and the function did not return.
    public func resolving(_ prepared: [String: PreparedData]) throws(ExperimentError) -> Experiment {
        var experiment = self
        for (key, data) in awaited {
            guard let description = prepared[key]?.description(of: data) else { continue }
            if description.x.isEmpty {
                throw error(at: key, "\(data.maker ?? key) returned no 'x', the inputs of the model")
            }
            if key == "data" { experiment.data = description } else { experiment.fit.validation = .data(description) }
        }
        try experiment.validate()
        return experiment
    }
}
