import Experiments
import Files
import Glibc
import SystemPackage
import TensorFiles

/// Where one array is.
struct Location: Sendable, Equatable {
    /// The NPY or NPZ file.
    var path: FilePath
    /// The array's name in an NPZ file.
    var member: String?
    /// As the user wrote it, for messages.
    var text: String
    /// The key of the experiment that named it.
    var key: String
}

/// Finds the files that a description of data names.
struct LocationFinder {
    var experiment: Experiment
    var folder: FilePath

    /// The places of an array: one, or with lists and patterns any number, those of a pattern sorted by name.
    func locations(of array: ArraySource, npz: [String], at key: String) throws -> [Location] {
        if !npz.isEmpty {
            return try npz.flatMap { path in
                try files(path, at: prefix(of: key) + ".npz").map { file in
                    Location(
                        path: file, member: array.locations[0], text: "\(shown(file)):\(array.locations[0])", key: key)
                }
            }
        }
        if let maker = maker(of: key) {
            return array.locations.map {
                Location(path: FilePath($0), member: nil, text: "'\(array.name)' of \(maker)", key: key)
            }
        }
        var locations: [Location] = []
        for (index, text) in array.locations.enumerated() {
            let element = array.locations.count == 1 ? key : "\(key)[\(index)]"
            let (path, member) = split(text)
            for file in try files(path, at: element) {
                let name = ArraySource.isPattern(path) ? shown(file) + (member.map { ":\($0)" } ?? "") : text
                locations.append(Location(path: file, member: member, text: name, key: element))
            }
        }
        return locations
    }

    /// What made the arrays that a key is about.
    private func maker(of key: String) -> String? {
        if key.hasPrefix("fit.validation") {
            if case .data(let validation) = experiment.fit.validation { return validation.maker }
            return nil
        }
        return experiment.data.maker
    }

    private func prefix(of key: String) -> String {
        key.hasPrefix("fit.validation") ? experiment.validationKey : "data"
    }

    /// `data.npz:key` in its two parts.
    func split(_ text: String) -> (path: String, member: String?) {
        guard let end = text.ranges(of: ".npz:").last else { return (text, nil) }
        return (String(text[..<end.upperBound].dropLast()), String(text[end.upperBound...]))
    }

    func files(_ path: String, at key: String) throws -> [FilePath] {
        if path.hasSuffix("/") { return try filesOfFolder(path, at: key) }
        guard ArraySource.isPattern(path) else {
            let file = folder.pushing(FilePath(path))
            do {
                _ = try FileStamp(of: file)
            } catch  where error.code == .notFound {
                throw experiment.error(at: key, "there is no file \(file)", found: path)
            } catch {
                throw experiment.error(at: key, error.message)
            }
            return [file]
        }
        let pattern = path.hasPrefix("/") ? path : escaped(folder.string) + "/" + path
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, 0, nil, &found) == 0, let paths = found.gl_pathv, found.gl_pathc > 0 else {
            throw experiment.error(at: key, "no file in \(folder) is called \(path)", found: path)
        }
        return (0..<Int(found.gl_pathc)).compactMap { paths[$0].map { FilePath(String(cString: $0)) } }
    }

    /// The NumPy files of a folder, sorted by name.
    private func filesOfFolder(_ path: String, at key: String) throws -> [FilePath] {
        let place = folder.pushing(FilePath(path))
        let names: [String]
        do {
            names = try Folder.list(place)
        } catch {
            throw experiment.error(at: key, error.message, found: path)
        }
        let files = names.filter { $0.hasSuffix(".npy") }.sorted().map { place.appending($0) }
        if files.isEmpty { throw experiment.error(at: key, "the folder \(place) holds no .npy file", found: path) }
        return files
    }

    /// A path in which no character stands for others.
    func escaped(_ path: String) -> String {
        path.reduce(into: "") { result, character in
            if "*?[]\\".contains(character) { result.append("\\") }
            result.append(character)
        }
    }

    /// A file relative to the experiment's folder, where it is inside.
    func shown(_ file: FilePath) -> String {
        var relative = file
        return relative.removePrefix(folder) ? relative.string : file.string
    }
}
