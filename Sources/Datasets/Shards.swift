import Experiments
import Files
import SystemPackage
import TensorFiles

extension ArrayPreparation {
    /// The one array that several files hold, one file's rows after another's: a file in the cache, made once.
    ///
    /// - Throws: `ExperimentError` where the files' types or the shapes of their rows differ.
    func joined(_ locations: [Location], progress: (String) -> Void) throws -> Location {
        guard let first = locations.first, locations.count > 1 else { return locations[0] }
        var joined = Location(
            path: first.path, text: "\(first.text) and \(locations.count - 1) more",
            key: first.key.hasSuffix("[0]") ? String(first.key.dropLast(3)) : first.key)
        do {
            var parts: [String] = []
            for location in locations {
                let stamp = try FileStamp(of: location.path)
                parts.append(cacheFile("joined", "npy", location, stamp, []).stem ?? "")
            }
            let file = cache.appending("joined").appending("\(Digest.sha256(parts.joined(separator: "\n"))).npy")
            joined.path = file
            if CachedArray.isWhole(file) { return joined }
            try write(locations, to: file, progress)
            return joined
        } catch let error as FilesError {
            throw experiment.error(at: joined.key, error.message)
        } catch let error as TensorFilesError where error.cause == nil {
            throw experiment.error(at: joined.key, error.message)
        } catch let error as TensorFilesError {
            throw DatasetsError(
                code: .cache, message: "cannot join \(joined.text) in the cache: \(error)", cause: error)
        }
    }

    private func write(_ locations: [Location], to file: FilePath, _ progress: (String) -> Void) throws {
        func array(_ location: Location) throws -> MappedArray {
            if let member = location.member { return try NPZ(location.path).array(member) }
            return try MappedArray(location.path)
        }
        let first = try array(locations[0])
        var rows = 0
        for location in locations {
            let part = try array(location)
            guard part.dtype == first.dtype, !part.shape.isEmpty,
                part.shape.dropFirst().elementsEqual(first.shape.dropFirst())
            else {
                throw experiment.error(
                    at: location.key,
                    "a row of \(location.text) is \(shown(Array(part.shape.dropFirst()))) of \(part.dtype.rawValue), but one of \(locations[0].text) is \(shown(Array(first.shape.dropFirst()))) of \(first.dtype.rawValue)"
                )
            }
            rows += part.rows
            guard rows <= Int(Int32.max) else {
                throw experiment.error(
                    at: location.key, "the files hold more than \(Int32.max) rows, the most that can be numbered")
            }
        }
        let shape = [rows] + first.shape.dropFirst()
        let megabytes = (first.dtype.byteCount(of: shape) ?? 0) / 1_000_000
        progress(
            "joining the \(rows) rows of \(locations.count) files, \(locations[0].path.lastComponent?.string ?? "") first (\(megabytes) MB), once"
        )
        try Folder.create(file.removingLastComponent())
        try CachedArray.write(dtype: first.dtype, shape: shape, to: file) { writer in
            for location in locations {
                let part = try array(location)
                if part.isCanonical { try writer.write(part.bytes) } else { try writer.write(part.canonicalBytes()) }
            }
        }
    }
}
