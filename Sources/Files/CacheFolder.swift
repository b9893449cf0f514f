import Glibc
public import SystemPackage

/// Where what can be made again is kept between runs.
public enum CacheFolder {
    /// A path in the cache; nothing is made.
    ///
    /// The cache is at `PRONGHORN_CACHE` if that is set, else at `pronghorn` in `XDG_CACHE_HOME` (if absolute, as the
    /// XDG Base Directory Specification demands), else at `~/.cache/pronghorn`.
    public static func path(_ component: String...) -> FilePath {
        component.reduce(root { name in getenv(name).map { String(cString: $0) } }) { $0.appending($1) }
    }

    static func root(_ variable: (String) -> String?) -> FilePath {
        if let own = variable("PRONGHORN_CACHE"), !own.isEmpty { return FilePath(own) }
        if let shared = variable("XDG_CACHE_HOME"), shared.hasPrefix("/") {
            return FilePath(shared).appending("pronghorn")
        }
        if let home = variable("HOME"), !home.isEmpty { return FilePath(home).appending([".cache", "pronghorn"]) }
        // Without a home (a bare service account), a folder that is this user's alone.
        return FilePath("/tmp/pronghorn-\(getuid())")
    }
}
