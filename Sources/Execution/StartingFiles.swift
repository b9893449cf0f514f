import Experiments
import Files
import Glibc
import Lowering
import SystemPackage

extension Experiment {
    /// The experiment with every file that trials start from in the place of folders and patterns, sorted by name; a list
    /// keeps its order.
    func findingStartFiles(relativeTo folder: FilePath) throws(ExperimentError) -> Experiment {
        guard let (files, key) = startFiles else { return self }
        let endings = key == "model" ? [".keras"] : StartFiles.weightEndings
        var found: [String] = []
        for path in files.paths {
            for file in try self.files(path, endings: endings, in: folder, at: key) {
                guard !found.contains(file) else {
                    throw error(.invalidValue, at: key, "\(file) is there already, by another name or pattern")
                }
                found.append(file)
            }
        }
        return finding(startFiles: found)
    }

    private func files(
        _ path: String, endings: [String], in folder: FilePath, at key: String
    ) throws(ExperimentError) -> [String] {
        let place = folder.pushing(FilePath(path)).lexicallyNormalized()
        let wanted = endings.joined(separator: " or ")
        if ArraySource.isPattern(path) {
            let files = Glob.files(path, in: folder).filter { file in endings.contains { file.hasSuffix($0) } }
            guard !files.isEmpty else {
                throw error(at: key, "no \(wanted) file in \(folder) is called \(path)", found: path)
            }
            return files
        }
        guard path.hasSuffix("/") else {
            guard (try? FileStamp(of: place)) != nil else {
                throw error(at: key, "there is no file \(place)", found: path)
            }
            return [place.string]
        }
        guard let names = try? Folder.list(place) else {
            throw error(at: key, "there is no folder \(place)", found: path)
        }
        let files = names.filter { name in !name.hasPrefix(".") && endings.contains { name.hasSuffix($0) } }
        guard !files.isEmpty else { throw error(at: key, "the folder \(place) holds no \(wanted) file", found: path) }
        return files.map { place.appending($0).string }
    }
}

extension Preparation {
    /// The architecture of every model file, by its path: a file that is none, or no harmless one, is told here.
    static func architectures(of experiment: Experiment, _ folder: FilePath) throws -> [String: String] {
        var paths: [String] = []
        if case .keras(let path) = experiment.model { paths = [path] }
        if case .files(let files) = experiment.model { paths = files.paths }
        var keys: [String: String] = [:]
        do {
            for path in paths {
                let file = folder.pushing(FilePath(path)).lexicallyNormalized()
                keys[file.string] = try Architecture.key(of: file)
            }
        } catch {
            throw experiment.explaining(error, at: "model")
        }
        return keys
    }

    /// The only model's file, where its arrays lie beside it.
    static func givenModel(of experiment: Experiment, _ folder: FilePath) -> String? {
        guard case .keras(let path) = experiment.model else { return nil }
        let file = folder.pushing(FilePath(path)).lexicallyNormalized()
        return Lowerer.hasArrays(beside: file) ? file.string : nil
    }
}

/// The files whose names fit a pattern, sorted by name.
enum Glob {
    static func files(_ pattern: String, in folder: FilePath) -> [String] {
        let pattern = pattern.hasPrefix("/") ? pattern : escaped(folder.string) + "/" + pattern
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, 0, nil, &found) == 0, let paths = found.gl_pathv else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { paths[$0].map { String(cString: $0) } }
    }

    /// A path in which no character stands for others.
    private static func escaped(_ path: String) -> String {
        path.reduce(into: "") { result, character in
            if "*?[]\\".contains(character) { result.append("\\") }
            result.append(character)
        }
    }
}
