package import Files
package import SystemPackage

/// Takes a lock that another process may hold for minutes, without blocking a thread of Swift's pool meanwhile.
package enum PatientLock {
    /// Waits for the lock and takes it; `onWait` is called once, when it has to wait.
    ///
    /// Throws a ``FilesError``, or `CancellationError` when the task is cancelled while it waits.
    package static func take(_ path: FilePath, onWait: () -> Void) async throws -> FileLock {
        var isWaiting = false
        while true {
            do throws(FilesError) {
                return try FileLock(path, exclusive: true, wait: false)
            } catch {
                guard error.code == .locked else { throw error }
            }
            if !isWaiting { onWait() }
            isWaiting = true
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
