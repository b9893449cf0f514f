/// When a folder that is still filling is full: until then, files that come are trained beside those that were there.
public struct FileWatch: Sendable, Equatable, Codable {
    /// The file that is there once no more come, relative to the experiment's folder.
    public var until: String?
    /// Seconds without a further file after which no more are awaited.
    public var idle: Double?

    /// The end of the filling: a file, a time, or whichever comes first.
    public init(until: String?, idle: Double?) {
        self.until = until
        self.idle = idle
    }
}

extension ArraySource {
    /// The two parts of a file's name around what differs from file to file, where the location is a pattern with one `*` in
    /// the name, or a folder; `nil` for any other.
    public static func watched(_ location: String) -> (start: Substring, end: Substring)? {
        var path = location[...]
        if let member = path.ranges(of: ".npz:").last { path = path[..<member.upperBound].dropLast() }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard let name = parts.last, !parts.dropLast().contains(where: { isPattern(String($0)) }) else { return nil }
        if name.isEmpty { return ("", ".npy") }
        guard name.filter({ isPattern(String($0)) }) == "*", let star = name.firstIndex(of: "*") else { return nil }
        return (name[..<star], name[name.index(after: star)...])
    }
}

extension Experiment {
    func validateWatch() throws(ExperimentError) {
        guard let watch else { return }
        try require(
            watch.until != nil || watch.idle != nil, at: "partition.watch",
            "says not when no more files come: give until (a file) or idle (seconds)")
        try require(watch.until != "", at: "partition.watch.until", "names no file")
        if let idle = watch.idle {
            try require(
                idle > 0 && idle.isFinite, at: "partition.watch.idle", "must be more than 0 seconds, found \(idle)")
        }
        if case .data(let data) = fit.validation, !data.severalFiles.isEmpty {
            throw error(
                .conflict, at: validationKey, "beside files that are still coming this is the same data for all trials")
        }
        if let (files, key) = startFiles, files.pairing == .paired {
            throw error(.conflict, at: key, "files that are still coming cannot be paired with models")
        }
    }

    /// Whether the files that are still coming are named so that they can be looked for; once they are found, they are a list.
    func validateWatchedFiles() throws(ExperimentError) {
        if watch == nil { return }
        if data.severalFiles.isEmpty {
            throw error(
                .conflict, at: "partition.by",
                "one file a trial needs a pattern that says which files are still coming: data.x and data.y (or data.npz) as parts/x-*.npy"
            )
        }
        for (key, locations) in data.severalFiles {
            if locations.count == 1, ArraySource.watched(locations[0]) != nil { continue }
            throw error(
                .unsupported, at: key,
                "one pattern with one * in the name says which files are still coming (parts/x-*.npy), or a folder; found \(locations.joined(separator: ", "))"
            )
        }
    }
}

extension DataDescription {
    /// The locations of what is several files, with the keys that name it.
    fileprivate var severalFiles: [(key: String, locations: [String])] {
        if maker != nil { return [] }
        if !npz.isEmpty {
            return npz.count > 1 || npz.contains(where: ArraySource.isPattern) ? [("data.npz", npz)] : []
        }
        let arrays =
            x.map { ("x", $0) } + y.map { ("y", $0) } + columns.map { ($0.name, $0) }
            + (sampleWeight.map { [("sample_weight", $0)] } ?? [])
        return arrays.filter(\.1.isSeveral).map { ("data.\($0)", $1.locations) }
    }
}
