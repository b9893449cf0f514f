extension Experiment {
    /// Variables that say how Pronghorn's own processes work, and what they are set to is its business.
    static let ownVariables: Set<String> = [
        "JAX_PLATFORMS", "KERAS_BACKEND", "PYTHONHASHSEED", "PYTHONHOME", "PYTHONPATH", "TF_CPP_MIN_LOG_LEVEL",
        "XLA_FLAGS",
    ]

    func validateEnvironment() throws(ExperimentError) {
        for (index, name) in (environment ?? []).enumerated() {
            let letters = name.utf8.allSatisfy { byte in
                byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            }
            try require(
                letters && !name.isEmpty && !(name.first?.isNumber ?? true), at: "environment[\(index)]",
                "'\(name)' is no name of a variable; only names stand here, and the values come from where Pronghorn is started"
            )
            try require(
                !Self.ownVariables.contains(name), at: "environment[\(index)]",
                "Pronghorn sets \(name) itself for the processes that it starts")
        }
    }
}

extension ExperimentReading {
    func readEnvironment(_ field: Field) throws(ExperimentError) -> [String]? {
        var names: [String] = []
        for name in try field.list(of: "names of variables") {
            names.append(try name.text("the name of a variable"))
        }
        return names
    }
}
