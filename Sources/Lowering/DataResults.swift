import Files
import FoundationEssentials
import PythonEnvironment
import SystemPackage

/// The folders in which what one data function returned is kept.
struct DataResults {
    /// The folder of all functions.
    var root: FilePath
    /// Stands for all that is known before the function is called.
    var key: String

    /// The folder whose arrays are what the function would return now, if there is one.
    var current: FilePath? {
        // The latest first: it is the likeliest to be current.
        numbers.reversed().map { folder.appending(String($0)) }.first { Self.isCurrent($0) }
    }

    private var folder: FilePath { root.appending(key) }

    private var numbers: [Int] {
        ((try? Folder.list(folder)) ?? []).compactMap { Int($0) }.sorted()
    }

    /// Takes the key's lock, which is held while a folder is made.
    func lock(onWait: () -> Void) async throws(LoweringError) -> FileLock {
        do {
            try Folder.create(folder)
            return try await PatientLock.take(root.appending("\(key).lock"), onWait: onWait)
        } catch let error as FilesError {
            throw LoweringError(code: .cache, message: error.message, cause: error)
        } catch {
            throw LoweringError(code: .cancelled, message: "waiting for the data was given up", cause: error)
        }
    }

    /// The name of a new folder to write into, to be called with the lock held.
    func draft() throws(LoweringError) -> FilePath {
        // Whoever made one before died over it, since the lock is free. A name of its own keeps out of the way of a
        // Python process that outlived its starter.
        for name in (try? Folder.list(folder)) ?? [] where name.hasPrefix("draft-") {
            try? FileManager.default.removeItem(atPath: folder.appending(name).string)
        }
        let draft = folder.appending("draft-\(UUID().uuidString)")
        do {
            try Folder.create(draft)
        } catch {
            throw LoweringError(code: .cache, message: error.message, cause: error)
        }
        return draft
    }

    /// Gives a whole draft its place.
    func keep(_ draft: FilePath) throws(LoweringError) -> FilePath {
        let place = folder.appending(String((numbers.last ?? 0) + 1))
        do {
            try Folder.rename(draft, to: place)
            try Folder.synchronize(folder)
        } catch {
            throw LoweringError(code: .cache, message: error.message, cause: error)
        }
        return place
    }

    // MARK: Whether it still holds

    /// What `data.json` says of the files that were read, and of those that were written.
    private struct List: Decodable {
        var sources: [Source]
        var arrays: [Written]

        struct Source: Decodable {
            var path: String
            var sha256: String
            var stamp: FileStamp?
        }

        struct Written: Decodable {
            var file: String
            /// The size of the file.
            var bytes: Int64
        }
    }

    private static func isCurrent(_ folder: FilePath) -> Bool {
        guard let data = FileManager.default.contents(atPath: folder.appending("data.json").string),
            let list = try? JSONDecoder().decode(List.self, from: data)
        else { return false }
        // Whoever wrote the list had the arrays on the disk before, so that their sizes tell whether they are whole; digests would
        // have gigabytes read at every start.
        let isWhole = list.arrays.allSatisfy { array in
            (try? FileStamp(of: folder.appending(array.file)))?.size == array.bytes
        }
        return isWhole
            && list.sources.allSatisfy { source in
                let path = FilePath(source.path)
                // Digests of large files take long, and no program can set back when a file changed.
                if let stamp = source.stamp, (try? FileStamp(of: path)) == stamp { return true }
                return (try? Digest.sha256(file: path)) == source.sha256
            }
    }
}
