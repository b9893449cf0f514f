extension ExperimentReading {
    func readData(_ field: Field) throws(ExperimentError) -> DataDescription {
        guard case .mapping(let entries) = field.content else {
            if let function = try readDataFunction(field) { return DataDescription(function: function) }
            throw field.expected(
                "a mapping, or FILE.py:FUNCTION",
                accepted: ["x", "y", "sample_weight", "npz", "from", "table", "images", "further names"])
        }
        if entries.contains(where: { $0.key == "table" }) {
            return DataDescription(table: try readTable(field))
        }
        if entries.contains(where: { $0.key == "images" }) {
            return DataDescription(images: try readImages(field))
        }
        if let from = entries.first(where: { $0.key == "from" })?.value {
            return DataDescription(function: try readFrom(from, beside: entries))
        }
        var data = DataDescription(x: [])
        for (name, value) in entries {
            switch name {
            case "npz": data.npz = try value.texts("the path of an NPZ file")
            case "x": data.x = try readArrays(value, name: "x")
            case "y": data.y = try readArrays(value, name: "y")
            case "sample_weight": data.sampleWeight = try readArray(value, name: "sample_weight")
            default: data.columns.append(try readArray(value, name: name))
            }
        }
        if let npz = entries.first(where: { $0.key == "npz" })?.value {
            for path in data.npz where !path.hasSuffix(".npz") {
                throw npz.fail(.invalidValue, "'\(path)' is not an NPZ file")
            }
            if data.x.isEmpty { data.x = [ArraySource("x", "x")] }
            if data.y.isEmpty { data.y = [ArraySource("y", "y")] }
        } else {
            for (_, value) in entries { try checkLocations(value) }
        }
        if data.x.isEmpty { throw missingX(field) }
        return data
    }

    /// `from: FILE.py:FUNCTION`, which stands alone.
    private func readFrom(
        _ field: Field, beside entries: [(key: String, value: Field)]
    ) throws(ExperimentError) -> FunctionReference {
        guard let function = try readDataFunction(field) else {
            throw field.expected("a Python function", accepted: ["FILE.py:FUNCTION"])
        }
        if let other = entries.first(where: { $0.key != "from" }) {
            throw other.value.fail(.conflict, "\(function) returns all arrays: leave this out, or 'from'")
        }
        return function
    }

    private func readDataFunction(_ field: Field) throws(ExperimentError) -> FunctionReference? {
        guard case .scalar(let text, _) = field.content else { return nil }
        if let function = FunctionReference(text) { return function }
        if text.hasSuffix(".py") {
            throw field.fail(
                .invalidValue, "'\(text)' names no function, such as \(text):load", accepted: ["FILE.py:FUNCTION"])
        }
        return nil
    }

    private func missingX(_ field: Field) -> ExperimentError {
        guard case .mapping(let entries) = field.content,
            let near = entries.first(where: { ["X", "inputs", "input", "features", "data"].contains($0.key) })
        else { return field.missing("x", "the inputs of the model") }
        return field.missing("x", "the inputs of the model, here called '\(near.key)'")
    }

    /// `x` and `y`: a file, one file a trial, or a mapping from names to them.
    private func readArrays(_ field: Field, name: String) throws(ExperimentError) -> [ArraySource] {
        guard case .mapping(let entries) = field.content else { return [try readArray(field, name: name)] }
        if entries.isEmpty { throw field.expected("a path, or a mapping from names to paths") }
        var arrays: [ArraySource] = []
        for (name, value) in entries { arrays.append(try readArray(value, name: name)) }
        return arrays
    }

    private func readArray(_ field: Field, name: String) throws(ExperimentError) -> ArraySource {
        let locations = try field.texts("the path of a NumPy file")
        if locations.isEmpty { throw field.fail(.invalidValue, "names no file") }
        return ArraySource(name, locations)
    }

    private func checkLocations(_ field: Field) throws(ExperimentError) {
        switch field.content {
        case .scalar(let path, _):
            if path.hasSuffix(".npy") || path.contains(".npz:") || path.hasSuffix("/") { return }
            if path.hasSuffix(".npz") {
                throw field.fail(.invalidValue, "'\(path)' holds several arrays: name one, such as \(path):x")
            }
            if Self.tableEndings.contains(where: { path.lowercased().hasSuffix($0) }) {
                throw field.fail(
                    .unsupported, "'\(path)' is a table: give it as data.table, and its columns as features and target")
            }
            throw field.fail(
                .unsupported, "'\(path)' is not a NumPy file", accepted: ["FILE.npy", "FILE.npz:NAME", "FOLDER/"])
        case .list(let elements):
            for element in elements { try checkLocations(element) }
        case .mapping(let entries):
            for entry in entries { try checkLocations(entry.value) }
        }
    }

    func readFit(_ field: Field) throws(ExperimentError) -> FitOptions {
        if case .scalar("", true) = field.content { return FitOptions() }
        let fields = try field.mapping(accepted: Self.fitKeys)
        let validations = ["validation", "validation_data", "validation_split"].compactMap { fields[$0] }
        if validations.count > 1 {
            throw validations[1].fail(.conflict, "\(validations[0].path) says already what is validated on")
        }
        var fit = FitOptions()
        for setting in FitSetting.allCases {
            guard let field = fields[setting.rawValue] else { continue }
            let value = try field.value()
            if !setting.put(value, in: &fit) {
                throw field.fail(.invalidValue, "must be \(setting.accepts), found \(field.found)", found: field.found)
            }
        }
        if let value = fields["validation"] ?? fields["validation_data"] { fit.validation = try readValidation(value) }
        if let field = fields["on_divergence"] {
            let accepted = FitOptions.OnDivergence.allCases.map(\.rawValue).sorted()
            let word = try field.text("stop or continue")
            guard let choice = FitOptions.OnDivergence(rawValue: word) else {
                throw field.fail(.invalidValue, "unknown choice '\(word)'", found: word, accepted: accepted)
            }
            fit.onDivergence = choice
        }
        return fit
    }

    private func readValidation(_ field: Field) throws(ExperimentError) -> FitOptions.Validation {
        guard case .mapping(let entries) = field.content else {
            if let function = try readDataFunction(field) { return .data(DataDescription(function: function)) }
            if field.path.hasSuffix("validation_data") {
                throw field.expected("a mapping with x and y, or FILE.py:FUNCTION")
            }
            return .share(try field.number("a share of the rows, or a mapping with x and y"))
        }
        if let table = entries.first(where: { $0.key == "table" })?.value {
            // Everything else of it is as in `data`, whose categories and words it is encoded by.
            _ = try field.mapping(accepted: ["table"])
            return .data(DataDescription(table: TableDescription(files: try readTableFiles(table))))
        }
        if let images = entries.first(where: { $0.key == "images" })?.value {
            // They are made alike with those of `data`.
            _ = try field.mapping(accepted: ["images"])
            return .data(DataDescription(images: ImageFolder(folder: try images.text("a folder of images"))))
        }
        let accepted = ["x", "y", "sample_weight", "npz", "from", "table", "images"]
        for entry in entries where !accepted.contains(entry.key) {
            _ = try field.mapping(accepted: accepted)
        }
        return .data(try readData(field))
    }

    func readSave(_ field: Field) throws(ExperimentError) -> SavePolicy {
        var save = SavePolicy(all: false)
        guard case .list(let elements) = field.content else {
            try readSaved(field, into: &save, alone: true)
            return save
        }
        if elements.isEmpty {
            throw field.fail(
                .invalidValue, "names no models to keep; `none` keeps none", accepted: Self.savedModels)
        }
        for element in elements { try readSaved(element, into: &save, alone: elements.count == 1) }
        return save
    }

    private static let savedModels = [
        "all", "best", "initial", "none", "{best: METRIC}", "{top: N, monitor: METRIC}",
    ]

    private func readSaved(_ field: Field, into save: inout SavePolicy, alone: Bool) throws(ExperimentError) {
        let accepted = Self.savedModels
        guard !field.isMapping else {
            let fields = try field.mapping(accepted: ["best", "mode", "monitor", "top"])
            var monitor = Monitor(metric: try fields["monitor"]?.text("the name of a metric"))
            if let mode = fields["mode"] {
                let word = try mode.text("min or max")
                guard word == "min" || word == "max" else {
                    throw mode.fail(.invalidValue, "must be min or max, found '\(word)'")
                }
                monitor.lessIsBetter = word == "min"
            }
            switch (fields["best"], fields["top"]) {
            case (let best?, nil):
                if fields["monitor"] != nil {
                    throw best.fail(.conflict, "names the metric itself: leave out monitor")
                }
                monitor.metric = try best.text("the name of a metric")
                save.best = monitor
            case (nil, let top?): save.top = SavePolicy.Top(count: try top.integer(), monitor: monitor)
            default: throw field.fail(.missingKey, "says not which models to keep", accepted: accepted)
            }
            return
        }
        switch try field.text("which models to keep") {
        case "all": save.all = true
        case "initial": save.initial = true
        case "best": save.best = Monitor()
        case "none" where alone: break
        case "none":
            throw field.fail(.conflict, "'none' keeps no model: it stands alone, or is left out")
        case let word: throw field.fail(.invalidValue, "unknown choice '\(word)'", found: word, accepted: accepted)
        }
    }
}

/// A file's name without its folders and its ending.
func stem(of file: String) -> String {
    let name = file.split(separator: "/").last.map(String.init) ?? file
    guard let point = name.lastIndex(of: "."), point != name.startIndex else { return name }
    return String(name[..<point])
}
