public import Bundles
import Files
import FoundationEssentials
public import SystemPackage

/// A program bundle in the cache.
public struct Bundle: Sendable, Hashable {
    /// The folder that holds `program.json`.
    public var folder: FilePath
    /// Names the program: the digest of its description without its functions, so that lowering another one does not change it, and without
    /// the digests of its files, of which the template holds the time at which it was made.
    public var digest: String
    /// What `program.json` says.
    public var description: ProgramDescription

    /// Reads `program.json`; fails if it is not there or not whole.
    init(_ folder: FilePath) throws(LoweringError) {
        let file = folder.appending(ProgramDescription.fileName)
        self.folder = folder
        do {
            guard let data = FileManager.default.contents(atPath: file.string) else {
                throw LoweringError(code: .cache, message: "there is no \(file)")
            }
            description = try JSONDecoder().decode(ProgramDescription.self, from: data)
            var identity = description
            identity.functions = []
            identity.files = nil
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            digest = Digest.sha256(Array(try encoder.encode(identity)))
        } catch let error as LoweringError {
            throw error
        } catch {
            throw LoweringError(code: .cache, message: "\(file) cannot be read: \(error)", cause: error)
        }
        guard description.version == ProgramDescription.currentVersion else {
            throw LoweringError(code: .cache, message: "\(file) is of version \(description.version)")
        }
    }

    /// The bundle in a folder of the cache, if it is still the one of that digest, nothing of it is lost or damaged, and what its model was
    /// built from is what it was.
    public static func cached(in folder: FilePath, digest: String) -> Bundle? {
        guard let bundle = try? Bundle(folder), bundle.digest == digest, bundle.isCurrent, bundle.isWhole
        else { return nil }
        return bundle
    }

    /// The function that answers a request, if it has been lowered.
    public func function(_ request: FunctionRequest) -> ProgramDescription.Function? {
        request.answer(in: description)
    }

    /// Whether a folder holds a bundle of which nothing is lost or damaged.
    public static func isWhole(_ folder: FilePath) -> Bool { (try? Bundle(folder))?.isWhole ?? false }

    /// Whether every file of the bundle is there as `program.json` says; reads them all.
    var isWhole: Bool {
        func isThere(_ name: String, _ digest: String?) -> Bool {
            let file = folder.appending(name)
            guard let digest else { return FileManager.default.fileExists(atPath: file.string) }
            return (try? Digest.sha256(file: file)) == digest
        }
        return ["template.keras", "request.json"].allSatisfy { isThere($0, description.files?[$0]) }
            && description.functions.allSatisfy { isThere($0.file, $0.sha256) }
    }

    /// Whether every file that the model was built from is what it was.
    var isCurrent: Bool {
        description.sources.allSatisfy { source in
            (try? Digest.sha256(file: FilePath(source.path))) == source.sha256
        }
    }

    public static func == (one: Bundle, other: Bundle) -> Bool {
        one.folder == other.folder && one.description == other.description
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(folder)
        hasher.combine(digest)
    }
}
