public import Bundles
import Files
import FoundationEssentials
public import SystemPackage

/// A program bundle on disk, read once and checked: what `program.json` says, and the code of its functions.
public struct ProgramBundle: Sendable {
    public let folder: FilePath
    public let description: ProgramDescription

    /// Reads `program.json`.
    public init(_ folder: FilePath) throws(ProgramError) {
        self.folder = folder
        let path = folder.appending(ProgramDescription.fileName)
        do {
            let file = try MappedFile(path)
            description = try JSONDecoder().decode(ProgramDescription.self, from: Data(file.bytes))
        } catch {
            throw ProgramError(.lost, "the program in \(folder) cannot be read", cause: error)
        }
        guard description.version == ProgramDescription.currentVersion else {
            throw ProgramError(
                .unreadable,
                "the program in \(folder) is of version \(description.version), not "
                    + "\(ProgramDescription.currentVersion)")
        }
        let leaves = description.parameters.compactMap(\.leaf) + (description.averages ?? []).flatMap(\.self)
        guard leaves.allSatisfy(description.state.indices.contains) else {
            throw ProgramError(
                .unreadable, "the program in \(folder) names leaves that it has not; remove \(folder) and run again")
        }
    }

    /// The model that trained weights are written into.
    public var template: FilePath { folder.appending("template.keras") }

    /// The entry of a function, or an error that says which there are.
    public func function(
        _ name: FunctionName, lanes: Int, steps: Int? = nil, rows: Int? = nil, form: String? = nil, halt: Bool = false
    ) throws(ProgramError) -> ProgramDescription.Function {
        let found = description.functions.first { function in
            function.name == name.rawValue && function.lanes == lanes && (steps == nil || function.steps == steps)
                && (rows == nil || function.rows == rows)
                && (function.form == nil || form == nil || function.form == form)
                && function.halt ?? false == halt
        }
        guard let found else {
            let wanted =
                "\(name.rawValue) of \(lanes) lanes, \(steps ?? 0) steps, \(rows ?? 0) rows, \(form ?? "any") form"
                + (halt ? " that halts" : "")
            let there = description.functions.map(\.file).joined(separator: ", ")
            throw ProgramError(.noSuchFunction, "the program in \(folder) has no \(wanted); it has \(there)")
        }
        return found
    }

    /// The StableHLO of a function, checked against its digest.
    func code(of function: ProgramDescription.Function) throws(ProgramError) -> MappedFile {
        let path = folder.appending(function.file)
        do {
            let file = try MappedFile(path)
            guard Digest.sha256(file.bytes) == function.sha256 else {
                throw ProgramError(.lost, "\(path) is damaged; remove \(folder) and run again")
            }
            return file
        } catch let error as ProgramError {
            throw error
        } catch {
            throw ProgramError(.lost, "\(path) cannot be read", cause: error)
        }
    }
}

/// The functions of a program.
public enum FunctionName: String, Sendable {
    case initialize, train, evaluate, predict, finalize
}
