import Files
import Lowering
import SystemPackage
import Units

extension Unit {
    /// Whether what the unit needs of the cache is there as it was: its program, and the arrays that were copied there.
    ///
    /// Where not, its trials begin anew, with what is then made again. Files of the user's own are for the runner to judge.
    ///
    /// - Parameter bundles: whether the program in each folder is whole, as far as it is known.
    func findsItsCache(in cache: FilePath = CacheFolder.path(), _ bundles: inout [String: Bool]) -> Bool {
        if case .native = engine {
            // Many units share a program, which is read as a whole to tell.
            let isWhole = bundles[program.folder] ?? Bundle.isWhole(FilePath(program.folder))
            bundles[program.folder] = isWhole
            if !isWhole { return false }
        }
        return sources.flatMap(\.arrays).allSatisfy { array in
            let file = FilePath(array.file)
            guard file.starts(with: cache) else { return true }
            let stamp = try? FileStamp(of: file)
            return stamp?.size == Int64(array.fileSize) && stamp?.modified == array.modified
        }
    }
}
