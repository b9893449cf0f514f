import Datasets
import Experiments
import Files
import FoundationEssentials
import Lowering
import PythonEnvironment
import SystemPackage

/// Calls the data functions of an experiment and reads its tables, which leaves arrays that can be mapped.
struct PreparingData {
    let experiment: Experiment
    /// The experiment's folder, from the root on.
    let folder: FilePath
    let progress: @Sendable (String) -> Void

    /// The arrays by the keys that name what they are made of.
    ///
    /// - Parameter python: The Python that calls functions; nil where there is none to call.
    func prepare(_ python: Python?) async throws -> [String: PreparedData] {
        var prepared: [String: PreparedData] = [:]
        for (key, function) in experiment.dataFunctions {
            guard let python else { break }
            prepared[key] = try await explaining(key) { () async throws(LoweringError) in
                try await DataFunctions.prepare(
                    DataFunction(
                        file: folder.pushing(FilePath(function.file)).lexicallyNormalized(), name: function.function,
                        folder: folder),
                    python: python, progress: progress)
            }
        }
        let tables = try experiment.dataTables.map { key, table in
            (key, table, try experiment.files(of: table, at: "\(key).table", relativeTo: folder))
        }
        let images = experiment.dataImages
        if tables.isEmpty, images.isEmpty { return prepared }
        let reader = try await ManagedPython.prepareForTables(progress: progress)
        var encodings: FilePath?
        for (key, table, files) in tables {
            // What is validated on is encoded as what is trained on.
            var asked = key == "data" ? table : experiment.data.table ?? table
            asked.files = table.files
            let request = asked.request(
                files, columns: key == "data" ? experiment.columnsOfTable : [], encodings: encodings)
            let made = try await make("\(key).table") { () async throws(LoweringError) in
                try await DataTables.prepare(
                    DataTable(name: table.description, request: request, folder: folder), python: reader,
                    progress: progress)
            }
            if key == "data" { encodings = made.appending(PreparedData.fileName) }
            let arrays = try PreparedData(made)
            if let counts = arrays.counts, counts.dropped > 0 {
                progress(
                    "\(counts.dropped) of the \(counts.read) rows of \(table) are left out, since values are missing")
            }
            prepared[key] = arrays
        }
        for (key, images) in images {
            // What is validated on is made as what is trained on.
            var asked = key == "data" ? images : experiment.data.images ?? images
            asked.folder = images.folder
            let request = asked.request(folder, classes: encodings)
            let made = try await make("\(key).images") { () async throws(LoweringError) in
                try await DataTables.prepare(
                    DataTable(kind: .images, name: images.folder, request: request, folder: folder), python: reader,
                    progress: progress)
            }
            if key == "data" { encodings = made.appending(PreparedData.fileName) }
            prepared[key] = try PreparedData(made)
        }
        return prepared
    }

    private func explaining(
        _ key: String, _ body: () async throws(LoweringError) -> FilePath
    ) async throws -> PreparedData {
        try PreparedData(await make(key, body))
    }

    private func make(_ key: String, _ body: () async throws(LoweringError) -> FilePath) async throws -> FilePath {
        do {
            return try await body()
        } catch {
            throw experiment.explaining(error, at: key)
        }
    }
}

extension Experiment {
    /// The columns of the table that are to be arrays of their own; `y` is the targets themselves.
    fileprivate var columnsOfTable: [String] {
        let isTarget = data.table?.y.map(\.name) == ["y"]
        return columnsUsed.filter { $0 != "y" || !isTarget }
    }
}

extension TableDescription {
    /// The request of `pronghorn.prepare_table`.
    fileprivate func request(
        _ files: [(path: FilePath, shown: String)], columns: [String], encodings: FilePath?
    ) -> JSONValue {
        [
            "files": .array(files.map { ["path": .string($0.path.string), "shown": .string($0.shown)] }),
            "separator": separator.map { .string($0) } ?? .null,
            "x": .array(x.map(\.request)), "y": .array(y.map(\.request)),
            "weight": weight.map { .string($0) } ?? .null,
            "columns": .array(columns.map { .string($0) }),
            "missing": [
                "all": missing.all.request, "columns": .object(missing.columns.mapValues(\.request)),
            ],
            "missing_values": missingMarkers.map { .array($0.map { .string($0) }) } ?? .null,
            "encodings": encodings.map { .string($0.string) } ?? .null,
        ]
    }
}

extension ImageFolder {
    /// The request of `pronghorn.prepare_images`.
    fileprivate func request(_ experimentFolder: FilePath, classes: FilePath?) -> JSONValue {
        let place = experimentFolder.pushing(FilePath(folder)).lexicallyNormalized()
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: place.string)) ?? []
        return [
            "folder": .string(place.string),
            // The images are watched one by one; this tells when one is new.
            "listing": .string(Digest.sha256(names.sorted().joined(separator: "\u{0}"))),
            "shown": .string(folder), "size": size.map { [.int($0.height), .int($0.width)] } ?? .null,
            "color": .string(color.rawValue), "resize": .string(resize.rawValue),
            "classes": classes.map { .string($0.string) } ?? .null,
        ]
    }
}

extension TableDescription.Array {
    fileprivate var request: JSONValue {
        ["name": .string(name), "columns": columns.map { .array($0.map(\.request)) } ?? .null]
    }
}

extension TableDescription.Column {
    fileprivate var request: JSONValue {
        guard let encoding else { return ["column": .string(name)] }
        let (kind, arguments) = encoding.request
        return ["column": .string(name), "encoding": .string(kind), "arguments": .object(arguments)]
    }
}

extension TableDescription.Encoding {
    fileprivate var request: (kind: String, arguments: [String: JSONValue]) {
        func known(_ categories: [String]?, _ unknown: TableDescription.Unknown) -> [String: JSONValue] {
            var arguments: [String: JSONValue] = ["unknown": .string(unknown.rawValue)]
            if let categories { arguments["categories"] = .array(categories.map { .string($0) }) }
            return arguments
        }
        return switch self {
        case .number: ("number", [:])
        case .ordinal(let categories, let unknown): ("ordinal", known(categories, unknown))
        case .oneHot(let categories, let unknown): ("one_hot", known(categories, unknown))
        case .hashing(let bins, let oneHot):
            ("hashing", ["bins": .int(bins), "output": .string(oneHot ? "one_hot" : "index")])
        case .bagOfWords(let words, let binary):
            ("bag_of_words", ["words": .int(words), "weight": .string(binary ? "binary" : "count")])
        case .date(let parts, let format):
            (
                "date",
                ["parts": .array(parts.map { .string($0) }), "format": format.map { .string($0) } ?? .null]
            )
        }
    }
}

extension TableDescription.Rule {
    fileprivate var request: JSONValue {
        switch self {
        case .error: ["rule": "error"]
        case .drop: ["rule": "drop"]
        case .mean: ["rule": "mean"]
        case .median: ["rule": "median"]
        case .value(let value): ["rule": "value", "value": JSONValue(value)]
        }
    }
}
