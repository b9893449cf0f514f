/// Says why installing failed, from what the installer printed.
enum InstallFailure {
    private static let network = [
        "name resolution", "name or service not known", "failed to establish a new connection",
        "network is unreachable",
        "max retries exceeded", "connection refused", "connection reset", "connecttimeout", "read timed out",
        "dns error", "failed to lookup address", "error sending request", "tunnel connection failed",
        "no route to surroundings", "connection broken",
    ]
    private static let unresolvable = [
        "no matching distribution found", "resolutionimpossible", "no solution found", "could not find a version",
        "conflicting dependencies", "not found in the package registry",
    ]
    private static let own =
        "or set PRONGHORN_PYTHON to an interpreter that has keras, jax and xla-cpu-pjrt installed"

    /// The error for an installer that failed while doing `what`.
    static func error(_ what: String, _ outcome: ToolProcess.Outcome) -> PythonEnvironmentError {
        let text = outcome.tail.joined(separator: "\n").lowercased()
        let code: PythonEnvironmentError.Code
        let advice: String
        // Without a network pip ends with "no matching distribution" too, so the network is looked for first.
        if network.contains(where: text.contains) {
            code = .noNetwork
            advice =
                "the packages' server could not be reached: connect this machine to it once, name a mirror or a proxy "
                + "(PIP_INDEX_URL, HTTPS_PROXY), \(own)"
        } else if text.contains("no space left on device") || text.contains("disk quota exceeded") {
            code = .installFailed
            advice = "the disk is full: free some space, or put the cache elsewhere with PRONGHORN_CACHE"
        } else if unresolvable.contains(where: text.contains) {
            code = .unresolvable
            advice =
                "no packages fulfil all requirements: change those of `python:` in the experiment so that they go with "
                + "Pronghorn's own (python/requirements.txt), \(own)"
        } else {
            code = .installFailed
            advice = "mend what is said above and try again, \(own)"
        }
        return PythonEnvironmentError(code: code, message: "\(what) failed:\n\(outcome.report)\n\(advice)")
    }
}
