extension Experiment {
    func validateData(_ data: DataDescription, at key: String) throws(ExperimentError) {
        if let function = data.function {
            try requireFunction(function, at: key)
            if !data.npz.isEmpty {
                throw error(.conflict, at: "\(key).npz", "the function returns all arrays: leave out the file")
            }
        }
        if let table = data.table { try validateTable(table, at: key) }
        if data.x.isEmpty, !data.awaitsArrays {
            throw error(.missingKey, at: "\(key).x", "is missing: the inputs of the model")
        }
        var seen: Set<String> = []
        let arrays = data.x + data.y + data.columns + (data.sampleWeight.map { [$0] } ?? [])
        for array in arrays {
            if array.name.isEmpty || array.locations.isEmpty || array.locations.contains("") {
                throw error(.invalidValue, at: "\(key).\(array.name)", "names no file")
            }
        }
        for array in data.x + data.y where array.name == "file" {
            throw error(.invalidValue, at: key, "'file' means the file itself: call the array something else")
        }
        for column in data.columns where column.name == "file" || !seen.insert(column.name).inserted {
            throw error(
                .invalidValue, at: "\(key).\(column.name)",
                column.name == "file" ? "'file' means the file itself: call the column something else" : "given twice")
        }
        for (role, group) in [("x", data.x), ("y", data.y)] {
            var seen: Set<String> = []
            for array in group where !seen.insert(array.name).inserted {
                throw error(.invalidValue, at: "\(key).\(role)", "'\(array.name)' is given twice")
            }
        }
    }

    /// With `{by: file}` there must be several files, one a trial.
    func validateFiles() throws(ExperimentError) {
        let several = try severalFiles(data, at: "data")
        if partition == .byFile, let maker = data.maker {
            throw error(
                .conflict, at: "partition.by",
                "the arrays of \(maker) are in no files of the experiment's: let a column say which partition each row is of, and divide by that"
            )
        }
        if partition == .byFile, several == nil, watch == nil {
            throw error(
                .conflict, at: "partition.by",
                "one file a trial needs several files: data.x and data.y (or data.npz) as lists or patterns, such as parts/x-*.npy"
            )
        }
    }

    /// The first key that names several files.
    private func severalFiles(_ data: DataDescription, at key: String) throws(ExperimentError) -> String? {
        // What a function or a table makes is at one place each, whatever characters the path of the cache has.
        guard data.maker == nil else { return nil }
        let arrays =
            data.x.map { ("x", $0) } + data.y.map { ("y", $0) } + data.columns.map { ($0.name, $0) }
            + (data.sampleWeight.map { [("sample_weight", $0)] } ?? [])
        guard data.npz.isEmpty else {
            for (name, array) in arrays where array.locations.count != 1 {
                throw error(.invalidValue, at: "\(key).\(name)", "beside npz this is the name of one array in it")
            }
            return data.npz.count > 1 || data.npz.contains(where: ArraySource.isPattern) ? "\(key).npz" : nil
        }
        return arrays.first { $0.1.isSeveral }.map { "\(key).\($0.0)" }
    }

    func validateSpace() throws(ExperimentError) {
        switch space {
        case .product(let axes):
            var names: Set<String> = []
            for axis in axes {
                let key = "trials.\(axis.name)"
                if !names.insert(axis.name).inserted {
                    throw error(.invalidValue, at: key, "given twice")
                }
                try require(!axis.values.isEmpty, at: key, "has no values")
                try validateAxisName(axis.name, at: key)
                var seen: Set<ParameterValue> = []
                for (index, value) in axis.values.enumerated() {
                    let element = axis.values.count == 1 ? key : "\(key)[\(index)]"
                    try validateValue(value, of: axis.name, at: element)
                    if !seen.insert(value).inserted {
                        throw error(.invalidValue, at: element, "the value \(value) is there already")
                    }
                }
            }
        case .list(let trials):
            try require(!trials.isEmpty, at: "trials", "lists no trials")
            for (index, parameters) in trials.enumerated() {
                for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
                    try validateAxisName(name, at: "trials[\(index)].\(name)")
                    try validateValue(value, of: name, at: "trials[\(index)].\(name)")
                }
            }
        }
        try validateChoices()
        let count = space.count
        if count.map({ $0 > Self.mostTrials }) ?? true {
            throw error(
                .invalidValue, at: "trials",
                "make \(count.map(String.init) ?? "more than \(Int.max)") trials; an experiment has at most \(Self.mostTrials)"
            )
        }
    }

    /// Where there are several configurations, each trial names one.
    private func validateChoices() throws(ExperimentError) {
        let names = model.choices.map(\.name)
        guard !names.isEmpty else { return }
        let key = "trials.\(ModelSource.choice)"
        let chosen: [ParameterValue?] =
            switch space {
            case .product(let axes): axes.first { $0.name == ModelSource.choice }?.values ?? [nil]
            case .list(let trials): trials.map { $0[ModelSource.choice] }
            }
        for value in chosen {
            guard case .string(let name)? = value, names.contains(name) else {
                throw error(
                    .invalidValue, at: key, "must be the name of one of the models", found: value?.description,
                    accepted: names)
            }
        }
    }

    /// The names of axes that need no build function.
    public static let axesOfAllModels = ["learning_rate", "seed"] + FitSetting.allCases.map(\.rawValue)

    private func validateAxisName(_ name: String, at key: String) throws(ExperimentError) {
        guard name != "seed", name != "learning_rate" else { return }
        guard !FitSetting.isName(name) else { return }
        if ExperimentReading.fitKeys.contains(name) {
            throw error(
                .unsupported, at: key, "a setting of fit, the same for all trials: give it as fit.\(name)")
        }
        if name == ModelSource.choice, !model.choices.isEmpty { return }
        if !model.takesArguments {
            throw error(
                .conflict, at: key, "only a build function takes arguments, and the model is not one", found: name,
                accepted: Self.axesOfAllModels.sorted())
        }
        if !isPythonName(name) {
            throw error(.invalidValue, at: key, "'\(name)' cannot be an argument of a Python function")
        }
    }

    private func validateValue(_ value: ParameterValue, of name: String, at key: String) throws(ExperimentError) {
        switch name {
        case "seed":
            guard let seed = value.int, seed >= 0, UInt64(seed) <= Self.greatestSeed else {
                throw error(
                    .invalidValue, at: key,
                    "a seed is a whole number from 0 to \(Self.greatestSeed), found \(value)")
            }
        case "learning_rate":
            guard let rate = value.double, rate > 0, rate.isFinite else {
                throw error(.invalidValue, at: key, "a learning rate is a number greater than 0, found \(value)")
            }
        default:
            if let setting = FitSetting(rawValue: name) {
                var fit = fit
                try require(
                    setting.put(value, in: &fit), at: key, "must be \(setting.accepts), found \(value)")
                return
            }
            try require(!holdsMapping(value), at: key, "a parameter is a number, text, true, false, null or a list")
        }
    }

    private func holdsMapping(_ value: ParameterValue) -> Bool {
        switch value {
        case .mapping: true
        case .list(let values): values.contains(where: holdsMapping)
        default: false
        }
    }
}

extension Experiment {
    /// What can be wrong with a table before it is opened.
    func validateTable(_ table: TableDescription, at key: String) throws(ExperimentError) {
        if table.files.isEmpty { throw error(.invalidValue, at: "\(key).table", "names no file") }
        for (role, arrays) in [("x", table.x), ("y", table.y)] {
            for array in arrays {
                var seen: Set<String> = []
                for column in array.columns ?? [] where role == "y" && !seen.insert(column.name).inserted {
                    throw error(.invalidValue, at: "\(key).\(role)", "the column '\(column.name)' is given twice")
                }
                if role == "y", array.columns == nil {
                    throw error(.missingKey, at: "\(key).y", "names no column")
                }
            }
        }
        if let name = table.missing.columns.keys.sorted().first(where: { $0.isEmpty }) {
            throw error(.invalidValue, at: "\(key).missing", "'\(name)' is no name of a column")
        }
    }
}
