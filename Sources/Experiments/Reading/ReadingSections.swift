extension ExperimentReading {
    func readName(_ field: Field) throws(ExperimentError) -> String {
        try field.text("a name")
    }

    func readModel(_ field: Field) throws(ExperimentError) -> ModelSource {
        let accepted = [
            "FILE.py:FUNCTION", "FILE.keras", "FOLDER/", "a list of files", "{cross: …}", "{paired: …}",
            "a mapping with layers and compile", "{config: FILE.json}",
        ]
        switch field.content {
        case .scalar(let text, _):
            if text.hasSuffix("/") || (text.hasSuffix(".keras") && ArraySource.isPattern(text)) {
                return .files(StartFiles([text]))
            }
            if text.hasSuffix(".keras") { return .keras(path: text) }
            if let function = FunctionReference(text) { return .function(function) }
            if text.hasSuffix(".weights.h5") {
                throw field.fail(
                    .unsupported,
                    "'\(text)' holds weights without their model: name the model here, such as models.py:build, and the weights as start",
                    accepted: accepted)
            }
            if text.hasSuffix(".h5") || text.hasSuffix(".hdf5") {
                throw field.fail(
                    .unsupported,
                    "'\(text)' is in Keras's old format: load it in Keras and save it as .keras", accepted: accepted)
            }
            if text.hasSuffix(".py") {
                throw field.fail(
                    .invalidValue, "'\(text)' names no function, such as \(text):build", accepted: accepted)
            }
            throw field.expected("where the model comes from", accepted: accepted)
        case .list:
            return .files(StartFiles(try field.texts("a .keras file")))
        case .mapping(let entries) where entries.contains { ["cross", "paired"].contains($0.key) }:
            return .files(try readPairedFiles(field))
        case .mapping(let entries) where entries.contains { $0.key == "config" }:
            return .configuration(try readConfiguration(field))
        case .mapping:
            let fields = try field.mapping(accepted: ["layers", "compile"])
            guard let layers = fields["layers"] else {
                throw field.missing("layers", "the layers of the model, first to last")
            }
            guard let compile = fields["compile"] else {
                throw field.missing("compile", "the arguments of Model.compile")
            }
            var values: [ParameterValue] = []
            for layer in try layers.list(of: "layers") { values.append(try layer.value()) }
            return .layers(InlineModel(layers: values, compile: try readCompile(compile)))
        }
    }

    /// `{config: FILE.json}`, with `compile` where the model was not compiled.
    private func readConfiguration(_ field: Field) throws(ExperimentError) -> ModelConfiguration {
        let fields = try field.mapping(accepted: ["config", "compile"])
        guard let file = fields["config"] else { throw field.missing("config", "the configuration of the model") }
        var configuration = ModelConfiguration(.file(try file.text("a JSON file that Keras wrote")))
        if let compile = fields["compile"] { configuration.compile = try readCompile(compile) }
        return configuration
    }

    private func readCompile(_ field: Field) throws(ExperimentError) -> [String: ParameterValue] {
        guard case .mapping(let settings) = try field.value() else {
            throw field.expected("a mapping", accepted: ["loss", "metrics", "optimizer"])
        }
        return settings
    }

    func readAdaptedLayers(_ field: Field) throws(ExperimentError) -> AdaptedLayers? {
        if field.isList { return .named(try field.texts("the name of a layer")) }
        switch try field.value() {
        case .bool(let adapts): return adapts ? .all : nil
        case .string(let name) where !name.isEmpty: return .named([name])
        default: throw field.expected("true, false, or the names of layers")
        }
    }

    func readSummarize(_ field: Field) throws(ExperimentError) -> FunctionReference? {
        let text = try field.text("a Python function")
        guard let function = FunctionReference(text) else {
            throw field.fail(.invalidValue, "'\(text)' names no Python function", accepted: ["FILE.py:FUNCTION"])
        }
        return function
    }

    func readPython(_ field: Field) throws(ExperimentError) -> PythonRequest? {
        if case .scalar = field.content {
            return PythonRequest(interpreter: try field.text("the path of a Python interpreter"))
        }
        let fields = try field.mapping(accepted: ["interpreter", "requirements"])
        var python = PythonRequest()
        python.interpreter = try fields["interpreter"]?.text("the path of a Python interpreter")
        if let requirements = fields["requirements"] {
            for requirement in try requirements.list(of: "packages") {
                python.requirements.append(try requirement.text("the name of a package"))
            }
        }
        return python
    }

    func readEngine(_ field: Field) throws(ExperimentError) -> Engine {
        let text = try field.text("the name of an engine")
        if let engine = Engine(rawValue: text) { return engine }
        throw field.fail(
            .invalidValue, "no engine is called '\(text)'", found: text, accepted: Engine.allCases.map(\.rawValue))
    }

    func readBackend(_ field: Field) throws(ExperimentError) -> Backend {
        let text = try field.text("the name of a backend")
        if let backend = Backend(rawValue: text) { return backend }
        throw field.fail(
            .invalidValue, "Keras has no backend '\(text)'", found: text, accepted: Backend.allCases.map(\.rawValue))
    }

    func readSeed(_ field: Field) throws(ExperimentError) -> UInt64 {
        let value = try field.integer()
        guard let seed = UInt64(exactly: value) else {
            throw field.fail(
                .invalidValue, "a seed is a whole number from 0 to \(Experiment.greatestSeed), found \(value)")
        }
        return seed
    }

    func readSpace(_ field: Field, seed: UInt64) throws(ExperimentError) -> TrialSpace {
        switch field.content {
        case .scalar("", true): return .product([])
        case .scalar: throw field.expected("a mapping of axes, or a list of trials")
        case .list(let elements):
            var trials: [[String: ParameterValue]] = []
            trials.reserveCapacity(elements.count)
            for element in elements {
                guard case .mapping(let entries) = element.content else {
                    throw element.expected("a mapping of parameters")
                }
                var parameters: [String: ParameterValue] = [:]
                for (name, value) in entries { parameters[name] = try readParameter(value, of: name) }
                trials.append(parameters)
            }
            return .list(trials)
        case .mapping(let entries):
            if entries.contains(where: { $0.key == Self.random }) {
                return try readRandomSearch(entries, seed: seed)
            }
            var axes: [Axis] = []
            for (name, value) in entries { axes.append(Axis(name, try readAxis(value, of: name))) }
            return .product(axes)
        }
    }

    func readAxis(_ field: Field, of name: String) throws(ExperimentError) -> [ParameterValue] {
        switch field.content {
        case .scalar: return [try readParameter(field, of: name)]
        case .list(let elements):
            var values: [ParameterValue] = []
            for element in elements { values.append(try readParameter(element, of: name)) }
            return values
        case .mapping where FitSetting.takesMapping(name): return [try readParameter(field, of: name)]
        case .mapping:
            guard let range = try field.mapping(accepted: ["range"])["range"] else {
                throw field.expected("values", accepted: ["a list", "one value", "{range: 20}", "{range: [5, 25]}"])
            }
            return try readRange(range).map { .int($0) }
        }
    }

    /// As Python's `range`: a stop, a start and a stop, or a start, a stop and a step.
    private func readRange(_ field: Field) throws(ExperimentError) -> [Int] {
        var bounds: [Int] = []
        if case .list(let elements) = field.content {
            for element in elements { bounds.append(try element.integer()) }
        } else {
            bounds = [try field.integer()]
        }
        guard (1...3).contains(bounds.count) else {
            throw field.fail(.invalidValue, "must be a stop, [start, stop] or [start, stop, step]")
        }
        let start = bounds.count == 1 ? 0 : bounds[0]
        let stop = bounds.count == 1 ? bounds[0] : bounds[1]
        let step = bounds.count == 3 ? bounds[2] : 1
        let (span, overflow) = stop.subtractingReportingOverflow(start)
        guard step != 0, !overflow, span != 0, (span > 0) == (step > 0) else {
            throw field.fail(.invalidValue, "the range is empty")
        }
        let count = (span.magnitude - 1) / step.magnitude + 1
        guard count <= UInt(Experiment.mostTrials) else {
            throw field.fail(
                .invalidValue,
                "the range has \(count) values; an experiment has at most \(Experiment.mostTrials) trials")
        }
        return Array(stride(from: start, to: stop, by: step))
    }

    private func readParameter(_ field: Field, of name: String) throws(ExperimentError) -> ParameterValue {
        if field.isMapping, !FitSetting.takesMapping(name) {
            throw field.expected("a number, text, true, false, null or a list")
        }
        let value = try field.value()
        // 1 and 1.0 are the same learning rate; only a build function's arguments tell them apart.
        if name == "learning_rate", case .int(let rate) = value { return .double(Double(rate)) }
        return value
    }
}
