import SystemPackage

/// What the processes that Pronghorn starts for Python find in their environment.
enum ChildEnvironment {
    /// Variables that reach the user's model code; any other could change a model without the cache noticing.
    private static let kept: Set<String> = [
        "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "KERAS_HOME",
        "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE",
    ]

    /// Variables that would make `pip` install elsewhere than where it is told to.
    private static let misleading: Set<String> = [
        "VIRTUAL_ENV", "CONDA_PREFIX", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV",
        "PIP_DRY_RUN", "PIP_REQUIRE_HASHES", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT", "UV_SYSTEM_PYTHON",
        "UV_REQUIRE_HASHES",
    ]

    /// Variables that installing needs: proxies, mirrors, certificates, compilers.
    private static let installingNeeds: Set<String> = [
        "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "NETRC", "CC", "CXX",
        "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "CPATH", "LIBRARY_PATH", "PKG_CONFIG_PATH", "MAKEFLAGS",
    ]

    /// For a process that builds and lowers models.
    static func lowering(_ inherited: [String: String], toolFolder: FilePath) -> [String: String] {
        var variables = inherited.filter { name, _ in
            kept.contains(name) || name.hasPrefix("LC_") || name.hasPrefix("CUDA_")
        }
        variables["PYTHONPATH"] = toolFolder.string
        // Sets of strings in the user's code then have one order, and a model is the same each time it is built.
        variables["PYTHONHASHSEED"] = "0"
        variables["KERAS_BACKEND"] = "jax"
        variables["JAX_PLATFORMS"] = "cpu"
        variables["TF_CPP_MIN_LOG_LEVEL"] = "2"
        return variables
    }

    /// For a process in which Keras trains on a backend; what it sees of the machine is for whoever starts it to add.
    static func fitting(
        _ backend: KerasBackend, _ inherited: [String: String], toolFolder: FilePath
    ) -> [String: String] {
        var variables = lowering(inherited, toolFolder: toolFolder)
        variables["KERAS_BACKEND"] = backend.rawValue
        return variables
    }

    /// For `uv`, `venv` and `pip`: they need the user's proxies, mirrors and certificates, and no other secrets.
    static func installing(_ inherited: [String: String]) -> [String: String] {
        let prefixes = ["LC_", "PIP_", "UV_", "XDG_", "CUDA_"]
        var variables = inherited.filter { name, _ in
            let isNeeded =
                kept.contains(name) || installingNeeds.contains(name.uppercased())
                || prefixes.contains { name.hasPrefix($0) }
            return isNeeded && !misleading.contains(name)
        }
        variables["PIP_NO_INPUT"] = "1"
        variables["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
        variables["PIP_PROGRESS_BAR"] = "off"
        variables["UV_NO_PROGRESS"] = "1"
        variables["NO_COLOR"] = "1"
        variables["LC_MESSAGES"] = "C"
        variables["PYTHONUNBUFFERED"] = "1"
        return variables
    }
}
