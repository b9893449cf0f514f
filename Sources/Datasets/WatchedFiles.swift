public import Experiments
import Files
public import SystemPackage

extension Experiment {
    /// The experiment with the files that there are now in the place of its patterns and folders: those of which every array
    /// has one, told apart by what stands for the `*` in their names.
    ///
    /// - Returns: also what tells the files apart, in their order; empty while there is no whole set of them.
    public func findingWatchedFiles(relativeTo folder: FilePath) -> (experiment: Experiment, names: [String]) {
        let finder = LocationFinder(experiment: self, folder: folder)
        var common: Set<String>?
        func look(_ locations: [String]) {
            guard locations.count == 1, locations[0].isWatched, let files = finder.watched(locations[0]) else { return }
            common = common?.intersection(files.keys) ?? Set(files.keys)
        }
        change { look($0) }
        let names = (common ?? []).sorted()
        var found = self
        found.data = change { locations in
            guard locations.count == 1, locations[0].isWatched, let files = finder.watched(locations[0]) else { return }
            locations = names.compactMap { files[$0] }
        }
        return (found, names)
    }

    /// The data after something was done with the locations of every array, or of the archives that hold them.
    @discardableResult
    private func change(_ body: (inout [String]) -> Void) -> DataDescription {
        var data = data
        if !data.npz.isEmpty {
            body(&data.npz)
            return data
        }
        for index in data.x.indices { body(&data.x[index].locations) }
        for index in data.y.indices { body(&data.y[index].locations) }
        for index in data.columns.indices { body(&data.columns[index].locations) }
        if var weights = data.sampleWeight {
            body(&weights.locations)
            data.sampleWeight = weights
        }
        return data
    }
}

extension String {
    /// Whether it stands for several files.
    fileprivate var isWatched: Bool { ArraySource.isPattern(self) || hasSuffix("/") }
}

extension LocationFinder {
    /// The files of a pattern or a folder, by what tells them apart, as locations of one file each.
    fileprivate func watched(_ location: String) -> [String: String]? {
        guard let (start, end) = ArraySource.watched(location) else { return nil }
        let (path, member) = split(location)
        // As long as there is none, none has come.
        let files = (try? files(path, at: "data")) ?? []
        var found: [String: String] = [:]
        for file in files {
            guard let name = file.lastComponent?.string, !name.hasPrefix("."), name.hasPrefix(start),
                name.hasSuffix(end)
            else { continue }
            let text = shown(file)
            found[String(name.dropFirst(start.count).dropLast(end.count))] =
                (ArraySource.isPattern(text) ? escaped(text) : text) + (member.map { ":\($0)" } ?? "")
        }
        return found
    }
}
