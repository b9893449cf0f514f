import Files
import FoundationEssentials
import PythonEnvironment
import SystemPackage

/// Where program bundles are kept: a folder for each key, and in it one for each state of the files behind the model.
///
/// The key stands for all that is known before Python runs: the request, the contents of the model's file, the
/// packages, and Pronghorn's own lowering. What else the model was built from (a helper module, a vocabulary) is only known
/// afterwards, from `sources`. A bundle whose sources have changed stays as it is, because a run may be using it, and because
/// the sources may change back; the new one stands beside it.
struct ProgramCache: Sendable {
    var root: FilePath
    /// The key of the Python environment.
    var environmentKey: String
    /// The digest of Pronghorn's own lowering.
    var toolDigest: String

    init(root: FilePath, python: Python) throws(LoweringError) {
        self.root = root
        environmentKey = python.key
        toolDigest = try Self.digest(ofPythonFilesIn: python.toolFolder.appending("pronghorn/lowering"))
    }

    /// The key of a request; fails if the model's file is not there.
    func key(_ request: ProgramRequest) throws(LoweringError) -> String {
        var fields = request.fields
        if case .keras(_, _, let architecture?) = request.model, case .object(var model)? = fields["model"] {
            // Whichever of its files it was described by: that one is among the bundle's sources.
            model["file"] = .string(architecture)
            fields["model"] = .object(model)
        } else if let file = request.model.file {
            guard file.isAbsolute else {
                throw LoweringError(code: .badRequest, message: "the path of the model's file is not absolute: \(file)")
            }
            do {
                fields["contents"] = .string(try Digest.sha256(file: file))
            } catch {
                let advice = error.code == .notFound ? "; check the `model:` of the experiment" : ""
                throw LoweringError(
                    code: .noSuchFile, message: "the model's file cannot be read: \(error.message)\(advice)",
                    file: file,
                    cause: error)
            }
        }
        // Two builds with two seeds are compared whatever the seeds are, so that others make the same program.
        if case .object(var vary)? = fields["vary"], vary["seed"] != nil {
            vary["seed"] = .bool(true)
            fields["vary"] = .object(vary)
        }
        fields["environment"] = .string(environmentKey)
        fields["lowering"] = .string(toolDigest)
        return String(Digest.sha256(JSONValue.object(fields).text).prefix(24))
    }

    /// The bundle of a key that can be used now, if there is one.
    func find(_ key: String) -> Bundle? {
        // The latest first: it is the likeliest to be current.
        for folder in generations(key).reversed() {
            if let bundle = try? Bundle(folder), bundle.isCurrent, bundle.isWhole { return bundle }
        }
        return nil
    }

    /// A folder for a new bundle of a key; to be called with the key's lock held.
    ///
    /// Bundles that are damaged, or that a process left half-made, are renamed on the way.
    func vacancy(_ key: String, progress: (String) -> Void) throws(LoweringError) -> FilePath {
        var last = 0
        for folder in generations(key) {
            last = max(last, Int(folder.lastComponent?.string ?? "") ?? 0)
            if let bundle = try? Bundle(folder), bundle.isWhole { continue }
            var aside: FilePath
            var number = 1
            repeat {
                aside = FilePath("\(folder).damaged-\(number)")
                number += 1
            } while FileManager.default.fileExists(atPath: aside.string)
            do {
                try FileManager.default.moveItem(atPath: folder.string, toPath: aside.string)
            } catch {
                throw LoweringError(
                    code: .cache, message: "cannot rename the damaged program \(folder): \(error)", cause: error)
            }
            progress("the program at \(folder) is damaged; it was renamed to \(aside), which can be removed")
        }
        return root.appending(key).appending(String(last + 1))
    }

    /// Takes the lock of a key, which is held while its bundles are changed.
    func lock(_ key: String, progress: (String) -> Void) async throws(LoweringError) -> FileLock {
        do {
            try Folder.create(root.appending(key))
            return try await PatientLock.take(root.appending("\(key).lock")) {
                progress("another process is lowering the same model; waiting for it")
            }
        } catch let error as FilesError {
            throw LoweringError(code: .cache, message: error.message, cause: error)
        } catch {
            throw LoweringError(code: .cancelled, message: "lowering was given up", cause: error)
        }
    }

    /// The folders of a key's bundles, oldest first.
    private func generations(_ key: String) -> [FilePath] {
        let folder = root.appending(key)
        let numbers = ((try? Folder.list(folder)) ?? []).compactMap { Int($0) }
        return numbers.sorted().map { folder.appending(String($0)) }
    }

    private static func digest(ofPythonFilesIn folder: FilePath) throws(LoweringError) -> String {
        do {
            var lines: [String] = []
            for name in try Folder.list(folder) where name.hasSuffix(".py") {
                lines.append("\(name) \(try Digest.sha256(file: folder.appending(name)))")
            }
            return Digest.sha256(lines.joined(separator: "\n"))
        } catch {
            throw LoweringError(
                code: .cache, message: "Pronghorn's own Python files cannot be read: \(error.message)", cause: error)
        }
    }
}
