public import Experiments
import Files
public import SystemPackage

extension Experiment {
    /// The files of a table that a key names, those of a pattern sorted by name, with what messages call them.
    ///
    /// - Parameter folder: The folder of the experiment file, from the root on.
    /// - Throws: for a file that is not there.
    public func files(
        of table: TableDescription, at key: String, relativeTo folder: FilePath
    ) throws -> [(path: FilePath, shown: String)] {
        let finder = LocationFinder(experiment: self, folder: folder)
        return try table.files.flatMap { path in
            try finder.files(path, at: key).map { (path: $0.lexicallyNormalized(), shown: finder.shown($0)) }
        }
    }
}
