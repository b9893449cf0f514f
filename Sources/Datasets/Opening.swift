public import Experiments
import Files
import Glibc
public import SystemPackage
import TensorFiles

extension Dataset {
    /// Opens every array that an experiment names and checks that they fit each other.
    ///
    /// - Parameters:
    ///   - experiment: The experiment; its `data` and `fit.validation` say what to open.
    ///   - folder: What relative paths are relative to: the folder of the experiment file.
    ///   - cache: A folder for arrays that cannot be mapped as they are.
    ///   - progress: Is told what takes long, a line a call.
    /// - Throws: `ExperimentError` for what the user can mend, `DatasetsError` when the cache cannot be written.
    public static func open(
        _ experiment: Experiment, relativeTo folder: FilePath, cache: FilePath,
        progress: (String) -> Void = { _ in }
    ) throws -> Dataset {
        try withoutActuallyEscaping(progress) { progress in
            try open(experiment, relativeTo: folder, cache: cache, telling: progress)
        }
    }

    private static func open(
        _ experiment: Experiment, relativeTo folder: FilePath, cache: FilePath,
        telling progress: @escaping (String) -> Void
    ) throws -> Dataset {
        let folder = absolute(folder)
        let opening = Opening(
            experiment: experiment, finder: LocationFinder(experiment: experiment, folder: folder),
            preparation: ArrayPreparation(experiment: experiment, cache: cache), progress: progress)
        var sources = try opening.sources(of: experiment.data, at: "data", label: "all")
        let training = sources.count
        if case .data(let data) = experiment.fit.validation {
            let validation = try opening.sources(of: data, at: experiment.validationKey, label: "validation")
            if validation.count != 1, validation.count != training {
                throw experiment.error(
                    at: experiment.validationKey,
                    "there are files of \(validation.count) trials to validate on and of \(training) to train on: give one, or one a trial"
                )
            }
            sources += validation
        }
        let columns = try opening.weightColumns(sources.prefix(training))
        sources = try opening.weighed(sources, training: training, rowShape: columns.first?.value.first?.rowShape)
        sources = try opening.agreeing(sources, training: training)
        let classes = try opening.classWeights(sources.prefix(training))
        return Dataset(
            experiment: experiment, sources: sources, trainingSources: training, ownSources: sources.count,
            rowWeights: columns.merging(classes) { $1 }, columns: try opening.columns(),
            rowFiles: try opening.rowFiles(), cache: cache)
    }
}

private struct Opening {
    var experiment: Experiment
    var finder: LocationFinder
    var preparation: ArrayPreparation
    var progress: (String) -> Void

    private struct Wanted {
        var name: String
        var role: DatasetArray.Role
        var locations: [Location]
        var fills: [ArraySource.Fill] = []
    }

    func sources(of data: DataDescription, at key: String, label: String) throws -> [DataSource] {
        let wanted = try wanted(data, at: key)
        let counts = wanted.map(\.locations.count)
        let count = counts.max() ?? 0
        for (array, number) in zip(wanted, counts) where number != 1 && number != count {
            throw experiment.error(
                at: "\(key).\(array.role.rawValue)",
                "'\(array.name)' has \(number) files and '\(wanted[counts.firstIndex(of: count) ?? 0].name)' has \(count): give one a trial of each"
            )
        }
        let labels = count == 1 && experiment.partition != .byFile ? [label] : labels(wanted, count)
        var sources: [DataSource] = []
        for index in 0..<count {
            var arrays: [DatasetArray] = []
            for array in wanted {
                let location = array.locations[array.locations.count == 1 ? 0 : index]
                arrays.append(try preparation.prepare(location, name: array.name, role: array.role, fills: array.fills))
                if let first = arrays.first, let last = arrays.last, first.rows != last.rows {
                    throw experiment.error(
                        at: location.key,
                        "\(last.origin) has the shape \(shown(last.shape)), but \(first.origin) has \(shown(first.shape)): the numbers of rows differ"
                    )
                }
            }
            sources.append(DataSource(label: labels[index], rows: arrays[0].rows, arrays: arrays))
        }
        return sources
    }

    private func wanted(_ data: DataDescription, at key: String) throws -> [Wanted] {
        var wanted: [Wanted] = []
        for (role, arrays) in [(DatasetArray.Role.x, data.x), (.y, data.y)] {
            for array in arrays {
                let plain = arrays.count == 1 && array.name == role.rawValue
                let place = plain ? "\(key).\(role.rawValue)" : "\(key).\(role.rawValue).\(array.name)"
                if role == .y, try isAbsentByDefault(array, data, place) { continue }
                wanted.append(
                    Wanted(
                        name: array.name, role: role,
                        locations: try joined(finder.locations(of: array, npz: data.npz, at: place)), fills: array.fills
                    ))
            }
        }
        let isTraining = key == "data"
        if let weights = data.sampleWeight {
            let place = "\(key).sample_weight"
            wanted.append(
                Wanted(
                    name: "sample_weight", role: .sampleWeight,
                    locations: try joined(finder.locations(of: weights, npz: data.npz, at: place))))
        } else if isTraining, !experiment.choosesColumnOfWeights, let column = experiment.fit.sampleWeight {
            wanted.append(
                Wanted(
                    name: "sample_weight", role: .sampleWeight,
                    locations: try joined(columnLocations(column, at: "fit.sample_weight"))))
        }
        return wanted
    }

    /// Whether `npz:` alone asks for a `y` that the file does not have: then the model trains without targets.
    private func isAbsentByDefault(_ array: ArraySource, _ data: DataDescription, _ key: String) throws -> Bool {
        guard !data.npz.isEmpty, array == ArraySource("y", "y"), experiment.positions[key] == nil,
            let first = try finder.locations(of: array, npz: data.npz, at: key).first
        else { return false }
        do {
            return try !NPZ(first.path).names.contains("y")
        } catch {
            throw experiment.error(at: key, error.message)
        }
    }

    private func labels(_ wanted: [Wanted], _ count: Int) -> [String] {
        let several = wanted.first { $0.locations.count == count }?.locations ?? []
        let stems = several.map { $0.path.stem ?? $0.path.string }
        return Set(stems).count == stems.count ? stems : several.map(\.text)
    }

    /// Several files are one a trial with `{by: file}`, and otherwise one array.
    private func joined(_ locations: [Location]) throws -> [Location] {
        if experiment.partition == .byFile || locations.count < 2 { return locations }
        return [try preparation.joined(locations, progress: progress)]
    }

    private func columnLocations(_ name: String, at key: String) throws -> [Location] {
        let data = experiment.data
        if let column = data.columns.first(where: { $0.name == name }) {
            return try finder.locations(of: column, npz: data.npz, at: "data.\(name)")
        }
        if name == "y", data.y.count == 1 {
            return try finder.locations(of: data.y[0], npz: data.npz, at: "data.y")
        }
        return try finder.locations(of: ArraySource(name, name), npz: data.npz, at: key)
    }

    /// The places of the columns that the experiment uses, and of those it describes.
    func columns() throws -> [String: Location] {
        var names = Set(experiment.data.columns.map(\.name))
        var keys: [String: String] = [:]
        for (key, column) in experiment.partitionColumns where keys[column] == nil { keys[column] = key }
        names.formUnion(keys.keys)
        var columns: [String: Location] = [:]
        for name in names.sorted() {
            let locations = try columnLocations(name, at: keys[name] ?? "data.\(name)")
            columns[name] = keys[name] == nil ? locations.first : try joined(locations).first
        }
        return columns
    }

    /// The files that list the rows of partitions and of the test set.
    func rowFiles() throws -> [String: [Location]] {
        var paths: [String: [String]] = [:]
        if case .rows(let files) = experiment.partition {
            paths["partition.rows"] = files.training
            paths["partition.validation"] = files.validation
        }
        if case .rows(let file) = experiment.testSet { paths["partition.test"] = [file] }
        var locations: [String: [Location]] = [:]
        for (key, paths) in paths {
            locations[key] = try paths.flatMap { path in
                try finder.files(path, at: key).map { Location(path: $0, text: finder.shown($0), key: key) }
            }
        }
        return locations
    }

    /// Weights of 1 for the sources that have none, where others have some or trials do: a program with weights takes
    /// them always, and a weight of 1 is exact.
    ///
    /// - Parameter rowShape: the shape of a row's weight in the columns that trials choose between.
    func weighed(_ sources: [DataSource], training: Int, rowShape: [Int]?) throws -> [DataSource] {
        let weights = sources.lazy.flatMap(\.arrays).first { $0.role == .sampleWeight }
        guard let rowShape = rowShape ?? weights?.rowShape ?? (experiment.rowWeights.isEmpty ? nil : []) else {
            return sources
        }
        return try sources.enumerated().map { index, source in
            guard !source.arrays.contains(where: { $0.role == .sampleWeight }) else { return source }
            let shape = [source.rows] + rowShape
            let file = preparation.cache.appending("arrays")
                .appending("ones-\(shape.map(String.init).joined(separator: "x")).npy")
            let ones = [Float](repeating: 1, count: shape.reduce(1, *))
            do {
                try Folder.create(file.removingLastComponent())
                if !CachedArray.isWhole(file) {
                    try CachedArray.write(dtype: .float32, shape: shape, to: file) { writer in
                        try ones.withUnsafeBytes { try writer.write($0) }
                    }
                }
            } catch {
                throw DatasetsError(code: .cache, message: "cannot write \(file): \(error)", cause: error)
            }
            var source = source
            let key = index < training ? "data" : experiment.validationKey
            source.arrays.append(
                try preparation.prepare(
                    Location(path: file, text: file.string, key: key), name: "sample_weight", role: .sampleWeight))
            return source
        }
    }

    /// The columns of weights that trials choose between, for each training source.
    func weightColumns(_ training: ArraySlice<DataSource>) throws -> [FitOptions.RowWeights: [DatasetArray]] {
        var found: [FitOptions.RowWeights: [DatasetArray]] = [:]
        for (weights, key) in experiment.rowWeights {
            guard case .column(let name) = weights else { continue }
            let locations = try joined(columnLocations(name, at: key))
            let arrays = try training.enumerated().map { index, source in
                let location = locations[locations.count == 1 ? 0 : min(index, locations.count - 1)]
                let array = try preparation.prepare(location, name: "sample_weight", role: .sampleWeight)
                if array.rows != source.rows || array.rowShape != found.first?.value.first?.rowShape ?? array.rowShape {
                    throw experiment.error(
                        at: key,
                        "\(array.origin) has the shape \(shown(array.shape)), which is not that of weights of the \(source.rows) rows of \(source.arrays[0].origin)"
                    )
                }
                return array
            }
            found[weights] = arrays
        }
        return found
    }

    /// The weights of the rows of each training source for each set of weights of classes that trials have.
    func classWeights(_ training: ArraySlice<DataSource>) throws -> [FitOptions.RowWeights: [DatasetArray]] {
        var found: [FitOptions.RowWeights: [DatasetArray]] = [:]
        for (weights, key) in experiment.rowWeights {
            guard case .classes(let classes) = weights else { continue }
            let weighing = ClassWeights(weights: classes, key: key, preparation: preparation)
            found[weights] = try training.map { source in
                let shape = source.arrays.first { $0.role == .sampleWeight }?.rowShape ?? []
                return try weighing.rowWeights(of: source, weightShape: shape)
            }
        }
        return found
    }

    /// The sources with their arrays in the order of the first, which all have the same type and shape of a row.
    func agreeing(_ sources: [DataSource], training: Int) throws -> [DataSource] {
        guard let first = sources.first else { return [] }
        var agreeing = [first]
        for (index, source) in sources.enumerated().dropFirst() {
            let key = index < training ? "data" : experiment.validationKey
            var ordered: [DatasetArray] = []
            for model in first.arrays {
                let place = "\(key).\(model.role.rawValue)"
                guard let array = source.arrays.first(where: { $0.name == model.name && $0.role == model.role }) else {
                    throw experiment.error(
                        .conflict, at: place, "'\(model.name)' is missing: the data to train on has it")
                }
                if model.rowShape != array.rowShape || model.dtype != array.dtype {
                    throw experiment.error(
                        at: place,
                        "a row of \(array.origin) is \(shown(array.rowShape)) of \(array.dtype.rawValue), but one of \(model.origin) is \(shown(model.rowShape)) of \(model.dtype.rawValue)"
                    )
                }
                ordered.append(array)
            }
            if let extra = source.arrays.first(where: { array in
                !first.arrays.contains { $0.name == array.name && $0.role == array.role }
            }) {
                throw experiment.error(
                    .conflict, at: "\(key).\(extra.role.rawValue)", "the data to train on has no '\(extra.name)'")
            }
            agreeing.append(DataSource(label: source.label, rows: source.rows, arrays: ordered))
        }
        return agreeing
    }
}

/// A folder from the root of the file system on, since runners are started elsewhere.
private func absolute(_ folder: FilePath) -> FilePath {
    let folder = folder.isEmpty ? "." : folder
    guard let resolved = folder.withPlatformString({ realpath($0, nil) }) else { return folder }
    defer { free(resolved) }
    return FilePath(platformString: resolved)
}
