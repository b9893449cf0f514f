import SystemPackage
import Units

/// Where what this process writes on standard error goes: to the log of the unit that it is at work on, otherwise where it
/// went when the process started.
///
/// The descriptor itself is moved, so that a plugin's last words before it ends the process stand in the unit's log too.
struct StandardError {
    /// What standard error was at the start; nil where it was closed.
    private let own = try? FileDescriptor.standardError.duplicate()

    /// Goes to a unit's log from now on; a log that cannot be made is no reason not to train.
    func begin(in folder: FilePath) {
        guard
            let log = try? FileDescriptor.open(
                folder.appending(Unit.logName), .writeOnly, options: [.create, .append, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
        else { return }
        _ = try? log.duplicate(as: .standardError)
        try? log.close()
    }

    /// Goes where it went at the start.
    func end() { _ = try? own?.duplicate(as: .standardError) }
}
