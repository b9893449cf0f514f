extension Experiment {
    /// Checks every rule that needs nothing but the experiment itself.
    ///
    /// The initializers call it; call it again after changing a property.
    public func validate() throws(ExperimentError) {
        try validateName()
        try validateModel()
        try validateStart()
        try validateAdaptedLayers()
        try validateData(data, at: "data")
        try validateFiles()
        try validatePartition()
        try validateWatch()
        try validateSpace()
        try validateFit()
        try validateCallbacks()
        try validateSave()
        try validateCheckpoint()
        try validateEnvironment()
        if let runnersPerDevice, !(1...1024).contains(runnersPerDevice) {
            throw error(
                .invalidValue, at: "runners_per_device",
                "must be a whole number from 1 to 1024, found \(runnersPerDevice)")
        }
        if seed > Self.greatestSeed {
            throw error(
                .invalidValue, at: "seed", "a seed is a whole number from 0 to \(Self.greatestSeed), found \(seed)")
        }
    }

    /// Keras hands a seed to NumPy, which takes 32 bits.
    static let greatestSeed: UInt64 = 4_294_967_295

    private func validateName() throws(ExperimentError) {
        let unusable = name.isEmpty || name.hasPrefix(".") || name.utf8.count > 100
        let isControl = { (scalar: Unicode.Scalar) in scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) }
        if unusable || name.unicodeScalars.contains(where: { $0 == "/" || isControl($0) }) {
            throw error(
                .invalidValue, at: "name",
                "'\(name)' cannot be a part of folder names: 1 to 100 bytes (a letter beyond ASCII takes 2 to 4), no '/', no control characters, no '.' at the start"
            )
        }
    }

    private func validateModel() throws(ExperimentError) {
        if let customObjects {
            guard customObjects.hasSuffix(".py") else {
                throw error(.invalidValue, at: "custom_objects", "'\(customObjects)' is not a Python file")
            }
            switch model {
            case .keras, .files, .configuration, .configurations: break
            case .function, .layers:
                throw error(
                    .conflict, at: "custom_objects",
                    "only files of Keras's need it: a build function imports what it uses")
            }
        }
        switch model {
        case .function(let function):
            try requireFunction(function, at: "model")
        case .keras(let path):
            if !path.hasSuffix(".keras") {
                throw error(.invalidValue, at: "model", "'\(path)' is not a .keras file")
            }
        case .files: break
        case .layers(let inline):
            if inline.layers.isEmpty {
                throw error(.invalidValue, at: "model.layers", "a model has at least one layer")
            }
            for (index, layer) in inline.layers.enumerated() where !isLayer(layer) {
                throw error(
                    .wrongType, at: "model.layers[\(index)]",
                    "a layer is a Keras class name, or one over its arguments, such as Dense: {units: 64}")
            }
            for key in ["optimizer", "loss"] where inline.compile[key] == nil {
                throw error(.missingKey, at: "model.compile.\(key)", "is missing")
            }
        case .configuration(let configuration):
            try validate(configuration, at: "model")
        case .configurations(let choices):
            try require(!choices.isEmpty, at: "model", "names no models")
            var names: Set<String> = []
            for choice in choices {
                try require(names.insert(choice.name).inserted, at: "model", "'\(choice.name)' is there already")
                try validate(choice.configuration, at: "model.\(choice.name)")
            }
        }
    }

    private func validate(_ configuration: ModelConfiguration, at key: String) throws(ExperimentError) {
        if let file = configuration.file, !file.hasSuffix(".json") {
            throw error(.invalidValue, at: "\(key).config", "'\(file)' is not a .json file")
        }
        if let compile = configuration.compile {
            for needed in ["optimizer", "loss"] where compile[needed] == nil {
                throw error(.missingKey, at: "\(key).compile.\(needed)", "is missing")
            }
        }
    }

    private func isLayer(_ value: ParameterValue) -> Bool {
        switch value {
        case .string(let name): return isPythonName(name)
        case .mapping(let layer):
            guard let (name, arguments) = layer.first, layer.count == 1, isPythonName(name) else { return false }
            switch arguments {
            case .mapping, .null: return true
            default: return false
            }
        default: return false
        }
    }

    private func validateFit() throws(ExperimentError) {
        try validateFitCounts()
        switch fit.validation {
        case .automatic: break
        case .share(let share):
            try require(
                share > 0 && share < 1, at: validationKey,
                "a share of the rows lies between 0 and 1, both excluded; found \(share)")
        case .data(let validation):
            if holdsOutRows {
                throw error(
                    .conflict, at: validationKey,
                    "the rows that each partition holds out are its validation set: leave out the files")
            }
            try validateData(validation, at: validationKey)
            if validation.table != nil, data.table == nil {
                throw error(
                    .conflict, at: "\(validationKey).table",
                    "is encoded as the table to train on, which data names none")
            }
            if validation.images != nil, data.images == nil {
                throw error(
                    .conflict, at: "\(validationKey).images",
                    "is made as the images to train on, which data names none")
            }
            if data.awaitsArrays || validation.awaitsArrays { break }
            if Set(validation.x.map(\.name)) != Set(data.x.map(\.name)) {
                throw error(
                    .conflict, at: "\(validationKey).x",
                    "has the inputs \(names(validation.x)), but data.x has \(names(data.x))")
            }
            if Set(validation.y.map(\.name)) != Set(data.y.map(\.name)) {
                throw error(
                    .conflict, at: "\(validationKey).y",
                    "has the targets \(names(validation.y)), but data.y has \(names(data.y))")
            }
        }
        try validateRowWeights()
    }

    private func names(_ arrays: [ArraySource]) -> String {
        arrays.isEmpty ? "none" : arrays.map(\.name).joined(separator: ", ")
    }

    private func validateSave() throws(ExperimentError) {
        if let top = save.top {
            try require(top.count >= 1, at: "save.top", "must be at least 1, found \(top.count)")
        }
        for monitor in [save.best, save.top?.monitor] {
            if let metric = monitor?.metric, metric.hasPrefix("val_"), !validates {
                throw error(
                    .conflict, at: "save",
                    "'\(metric)' is never measured, since nothing is validated: give fit.validation, or monitor \(metric.dropFirst(4))"
                )
            }
        }
    }

    func require(_ condition: Bool, at key: String, _ message: @autoclosure () -> String) throws(ExperimentError) {
        if !condition { throw error(.invalidValue, at: key, message()) }
    }

    func requireFunction(_ function: FunctionReference, at key: String) throws(ExperimentError) {
        guard FunctionReference(function.description) == nil else { return }
        throw error(
            .invalidValue, at: key, "'\(function)' names no Python function", accepted: ["FILE.py:FUNCTION"])
    }

    func requireColumn(_ column: String, at key: String) throws(ExperimentError) {
        guard !data.mayHoldColumn(column) else { return }
        var known = data.columns.map(\.name).sorted()
        if data.y.count == 1 { known.append("y") }
        throw error(
            .invalidValue, at: key, "the data has no column '\(column)'", found: column,
            accepted: known.isEmpty ? ["a name that is given a file under data"] : known)
    }
}
