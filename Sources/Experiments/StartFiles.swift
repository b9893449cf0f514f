/// Files that trials start from: each one is a value of an axis.
public struct StartFiles: Sendable, Equatable, Codable {
    /// Files, folders (with a `/` at the end) and patterns, as the user wrote them; once they are found, files alone.
    public var paths: [String]
    /// How the files and the partitions go together.
    public var pairing: Pairing
    /// Whether they are one file, which is no axis.
    public var isOneFile: Bool

    /// How the files and the partitions go together.
    public enum Pairing: String, Sendable, Equatable, Codable {
        /// Every file with every partition.
        case cross
        /// One file a partition.
        case paired
    }

    /// Files, folders and patterns.
    public init(_ paths: [String], pairing: Pairing = .cross) {
        self.paths = paths
        self.pairing = pairing
        isOneFile = false
    }

    /// One file, the same for all trials.
    public init(file: String) {
        paths = [file]
        pairing = .cross
        isOneFile = true
    }

    /// What the files are called in results: their names, or where two have the same name their paths.
    public var names: [String] {
        let names = paths.map { path in path.split(separator: "/").last.map(String.init) ?? path }
        return Set(names).count == names.count ? names : paths
    }

    /// The endings that a file of weights may have.
    public static let weightEndings = [".weights.h5", ".keras"]
}

/// The file that a trial starts from.
public struct TrialStart: Sendable, Equatable, Codable {
    /// The file's path.
    public var file: String
    /// The axis that it is a value of, or `nil` where all trials start from it.
    public var axis: String?

    /// A file, as a value of an axis.
    public init(file: String, axis: String?) {
        self.file = file
        self.axis = axis
    }
}

extension Experiment {
    /// The files that trials start from with the key that names them, or `nil`.
    public var startFiles: (files: StartFiles, key: String)? {
        if case .files(let files) = model { return (files, "model") }
        return start.map { ($0, "start") }
    }

    /// The experiment with files in the place of folders and patterns.
    public func finding(startFiles paths: [String]) -> Experiment {
        var experiment = self
        if case .files(var files) = model {
            files.paths = paths
            experiment.model = .files(files)
        }
        experiment.start?.paths = paths
        return experiment
    }

    /// The starts that the trials of each partition have: none, those of all files, or one.
    func starts(ofPartitions labels: [String]) throws(ExperimentError) -> [[TrialStart?]] {
        guard let (files, key) = startFiles else { return labels.map { _ in [nil] } }
        let starts = files.paths.map { TrialStart(file: $0, axis: files.isOneFile ? nil : key) }
        guard files.pairing == .paired else { return labels.map { _ in starts } }
        guard starts.count == labels.count else {
            throw error(
                .conflict, at: key,
                "\(starts.count) files cannot be paired with \(labels.count) partitions: give as many, or use cross",
                accepted: [])
        }
        // By their names where they have the same ones: 10.keras stands before 2.keras, and store 2 before store 10.
        let numbers = Dictionary(zip(files.names.map(Self.label), starts.indices)) { first, _ in first }
        let named = labels.compactMap { numbers[$0] }
        return Set(named).count == labels.count ? named.map { [starts[$0]] } : starts.map { [$0] }
    }

    /// A file's name without its ending: what a partition that goes with it would be called.
    private static func label(_ name: String) -> String {
        let ending = StartFiles.weightEndings.first { name.hasSuffix($0) }
        return String(name.dropLast(ending?.count ?? 0))
    }

    func validateStart() throws(ExperimentError) {
        if let start {
            switch model {
            case .function, .layers, .configuration, .configurations: break
            case .keras, .files:
                throw error(.conflict, at: "start", "the model's file has weights of its own: leave this out")
            }
            try validate(start, at: "start", endings: StartFiles.weightEndings)
        }
        if case .files(let files) = model { try validate(files, at: "model", endings: [".keras"]) }
    }

    private func validate(_ files: StartFiles, at key: String, endings: [String]) throws(ExperimentError) {
        try require(!files.paths.isEmpty, at: key, "names no files")
        var seen: Set<String> = []
        for path in files.paths {
            let isKnown = path.hasSuffix("/") || endings.contains { path.hasSuffix($0) }
            try require(
                isKnown, at: key,
                "'\(path)' is neither a \(endings.joined(separator: " or ")) file nor a folder (with a / at its end)")
            try require(seen.insert(path).inserted, at: key, "'\(path)' is there already")
        }
        if case .product(let axes) = space, !files.isOneFile, axes.contains(where: { $0.name == key }) {
            throw error(.conflict, at: "trials.\(key)", "the files of \(key) are an axis of this name already")
        }
    }
}

extension ExperimentReading {
    /// A file, a folder, a pattern or a list of them; or one of these under `cross` or `paired`.
    func readStart(_ field: Field) throws(ExperimentError) -> StartFiles {
        let accepted = ["FILE.weights.h5", "FILE.keras", "FOLDER/", "a pattern", "a list", "{cross: …}", "{paired: …}"]
        if field.isMapping { return try readPairedFiles(field) }
        let paths = try field.texts("a file of weights")
        guard !field.isList, let path = paths.first else { return StartFiles(paths) }
        if path.hasSuffix("/") || ArraySource.isPattern(path) { return StartFiles([path]) }
        guard StartFiles.weightEndings.contains(where: { path.hasSuffix($0) }) else {
            throw field.fail(.invalidValue, "'\(path)' is no file of weights", accepted: accepted)
        }
        return StartFiles(file: path)
    }

    /// `{cross: FILES}` or `{paired: FILES}`.
    func readPairedFiles(_ field: Field) throws(ExperimentError) -> StartFiles {
        let fields = try field.mapping(accepted: ["cross", "paired"])
        guard fields.count == 1, let (word, value) = fields.first else {
            throw field.fail(.conflict, "is either cross or paired", accepted: ["{cross: FILES}", "{paired: FILES}"])
        }
        return StartFiles(try value.texts("files"), pairing: StartFiles.Pairing(rawValue: word) ?? .cross)
    }
}
