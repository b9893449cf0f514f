import Files
import FoundationEssentials
import SystemPackage

/// What was found out about the user's interpreters, so that asking again is not needed until something changed there.
struct InterpreterMemory {
    /// The folder of the answers.
    var folder: FilePath

    private struct Entry: Codable {
        static let currentVersion = 1
        var version: Int
        var interpreter: String
        var stamps: [String: FileStamp]
        var facts: InterpreterFacts
    }

    /// The facts of an interpreter as remembered, if nothing changed since.
    func recall(_ interpreter: FilePath) -> InterpreterFacts? {
        guard let data = FileManager.default.contents(atPath: file(interpreter).string),
            let entry = try? JSONDecoder().decode(Entry.self, from: data), entry.version == Entry.currentVersion,
            entry.interpreter == interpreter.string, stamps(interpreter, entry.facts) == entry.stamps
        else { return nil }
        return entry.facts
    }

    /// Remembers the facts of an interpreter; failing to is no harm.
    func remember(_ interpreter: FilePath, _ facts: InterpreterFacts) {
        // What a script leads to (pyenv's shims) may be another interpreter tomorrow, with the script unchanged.
        guard facts.problems.isEmpty, !isScript(interpreter), let stamps = stamps(interpreter, facts) else { return }
        let entry = Entry(
            version: Entry.currentVersion, interpreter: interpreter.string, stamps: stamps, facts: facts)
        guard let data = try? JSONEncoder().encode(entry) else { return }
        try? Folder.create(folder)
        try? AtomicFile.write(Array(data), to: file(interpreter))
    }

    private func file(_ interpreter: FilePath) -> FilePath {
        folder.appending("\(Digest.sha256(interpreter.string).prefix(16)).json")
    }

    /// Installing or removing a package changes the folder that holds packages.
    private func stamps(_ interpreter: FilePath, _ facts: InterpreterFacts) -> [String: FileStamp]? {
        var stamps: [String: FileStamp] = [:]
        for path in [interpreter.string, facts.executable] + facts.sites + facts.plugins.values {
            guard let stamp = try? FileStamp(of: FilePath(path)) else { return nil }
            stamps[path] = stamp
        }
        return stamps
    }

    private func isScript(_ interpreter: FilePath) -> Bool {
        guard let file = try? FileDescriptor.open(interpreter, .readOnly) else { return false }
        defer { try? file.close() }
        var start: [UInt8] = [0, 0]
        let count = try? start.withUnsafeMutableBytes { try file.read(into: $0) }
        return count == 2 && start == Array("#!".utf8)
    }
}
