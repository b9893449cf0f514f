extension ExperimentReading {
    func readCallbacks(_ field: Field) throws(ExperimentError) -> [Callback] {
        if case .scalar("", true) = field.content { return [] }
        var callbacks: [Callback] = []
        for element in try field.list(of: "callbacks") { callbacks.append(try readCallback(element)) }
        return callbacks
    }

    /// A name as `early_stopping`, one over its arguments, or `FILE.py:FUNCTION`.
    private func readCallback(_ field: Field) throws(ExperimentError) -> Callback {
        guard case .mapping(let entries) = field.content else {
            let name = try field.text("a callback")
            if let function = FunctionReference(name) { return .python(function) }
            return try readCallback(name, arguments: nil, in: field)
        }
        guard let (name, arguments) = entries.first, entries.count == 1 else {
            throw field.expected("one callback over its arguments", accepted: Callback.names)
        }
        return try readCallback(name, arguments: arguments, in: arguments)
    }

    private func readCallback(
        _ name: String, arguments: Field?, in field: Field
    ) throws(ExperimentError) -> Callback {
        var field = field
        if arguments.map(\.isEmpty) ?? true { field.content = .mapping([]) }
        switch name {
        case "early_stopping": return .earlyStopping(try readEarlyStopping(field))
        case "model_checkpoint": return .modelCheckpoint(try readModelCheckpoint(field))
        case "reduce_lr_on_plateau": return .reduceLROnPlateau(try readReduceLROnPlateau(field))
        case "learning_rate_scheduler": return .learningRateScheduler(try readLearningRateScheduler(field))
        case "terminate_on_nan":
            let fields = try field.mapping(accepted: ["raise_error"])
            return .terminateOnNaN(Callback.TerminateOnNaN(raiseError: try fields["raise_error"]?.flag() ?? false))
        case "csv_logger": return .csvLogger(try readCSVLogger(field))
        case "swap_ema_weights":
            let fields = try field.mapping(accepted: ["swap_on_epoch"])
            return .swapEMAWeights(Callback.SwapEMAWeights(swapOnEpoch: try fields["swap_on_epoch"]?.flag() ?? false))
        default:
            throw ExperimentError(
                code: .unknownKey, position: arguments?.keyPosition ?? field.errorPosition, key: field.path,
                found: name, accepted: Callback.names + ["FILE.py:FUNCTION"], message: "unknown callback '\(name)'")
        }
    }

    private func readEarlyStopping(_ field: Field) throws(ExperimentError) -> Callback.EarlyStopping {
        let fields = try field.mapping(accepted: [
            "baseline", "min_delta", "mode", "monitor", "patience", "restore_best_weights", "start_from_epoch",
            "verbose",
        ])
        var callback = Callback.EarlyStopping()
        try checkVerbose(fields)
        try readMonitor(fields, &callback.monitor, &callback.mode)
        if let value = fields["min_delta"] { callback.minDelta = try value.number("a number") }
        if let value = fields["patience"] { callback.patience = try value.integer() }
        if let value = fields["baseline"] { callback.baseline = try value.numberOrNull() }
        if let value = fields["restore_best_weights"] { callback.restoreBestWeights = try value.flag() }
        if let value = fields["start_from_epoch"] { callback.startFromEpoch = try value.integer() }
        return callback
    }

    private func readModelCheckpoint(_ field: Field) throws(ExperimentError) -> Callback.ModelCheckpoint {
        let fields = try field.mapping(accepted: [
            "filepath", "initial_value_threshold", "mode", "monitor", "save_best_only", "save_freq",
            "save_weights_only", "verbose",
        ])
        if let path = fields["filepath"] {
            throw path.fail(
                .unsupported,
                "the files have places of their own, models/NAME.epoch-003.keras, or models/NAME.checkpoint.keras with "
                    + "save_best_only: leave it out")
        }
        var callback = Callback.ModelCheckpoint()
        try checkVerbose(fields)
        try readMonitor(fields, &callback.monitor, &callback.mode)
        if let value = fields["save_best_only"] { callback.saveBestOnly = try value.flag() }
        if let value = fields["save_weights_only"] { callback.saveWeightsOnly = try value.flag() }
        if let value = fields["initial_value_threshold"] { callback.initialValueThreshold = try value.numberOrNull() }
        if let value = fields["save_freq"], !value.isText("epoch") {
            guard case .int(let batches) = try value.value() else {
                throw value.expected("when to save", accepted: ["epoch", "a number of batches"])
            }
            callback.batches = batches
        }
        return callback
    }

    private func readReduceLROnPlateau(_ field: Field) throws(ExperimentError) -> Callback.ReduceLROnPlateau {
        let fields = try field.mapping(accepted: [
            "cooldown", "factor", "min_delta", "min_lr", "mode", "monitor", "patience", "verbose",
        ])
        var callback = Callback.ReduceLROnPlateau()
        try checkVerbose(fields)
        try readMonitor(fields, &callback.monitor, &callback.mode)
        if let value = fields["factor"] { callback.factor = try value.number("a number") }
        if let value = fields["patience"] { callback.patience = try value.integer() }
        if let value = fields["min_delta"] { callback.minDelta = try value.number("a number") }
        if let value = fields["cooldown"] { callback.cooldown = try value.integer() }
        if let value = fields["min_lr"] { callback.minLearningRate = try value.number("a number") }
        return callback
    }

    private func readLearningRateScheduler(_ field: Field) throws(ExperimentError) -> Callback.LearningRateScheduler {
        let fields = try field.mapping(accepted: ["schedule", "verbose"])
        try checkVerbose(fields)
        guard let schedule = fields["schedule"] else {
            throw field.missing("schedule", "a function of the epoch and the learning rate, FILE.py:FUNCTION")
        }
        let text = try schedule.text("a Python function")
        guard let function = FunctionReference(text) else {
            throw schedule.fail(.invalidValue, "'\(text)' names no Python function", accepted: ["FILE.py:FUNCTION"])
        }
        return Callback.LearningRateScheduler(schedule: function)
    }

    private func readCSVLogger(_ field: Field) throws(ExperimentError) -> Callback.CSVLogger {
        let fields = try field.mapping(accepted: ["append", "filename", "separator"])
        if let name = fields["filename"] {
            throw name.fail(.unsupported, "the files have places of their own, csv/NAME.csv: leave it out")
        }
        var callback = Callback.CSVLogger()
        if let value = fields["separator"] { callback.separator = try value.text("one character") }
        if let value = fields["append"] { callback.append = try value.flag() }
        return callback
    }

    private func readMonitor(
        _ fields: [String: Field], _ monitor: inout String, _ mode: inout Callback.Mode
    ) throws(ExperimentError) {
        if let value = fields["monitor"] { monitor = try value.text("the name of a metric") }
        guard let value = fields["mode"] else { return }
        let text = try value.text("auto, min or max")
        guard let read = Callback.Mode(rawValue: text) else {
            throw value.fail(
                .invalidValue, "unknown mode '\(text)'", found: text, accepted: Callback.Mode.allCases.map(\.rawValue))
        }
        mode = read
    }

    /// Keras's `verbose` prints lines, which a run of many trials does not.
    private func checkVerbose(_ fields: [String: Field]) throws(ExperimentError) {
        guard let verbose = fields["verbose"] else { return }
        switch try verbose.value() {
        case .int, .bool: break
        default: throw verbose.expected("a whole number")
        }
    }
}

extension Field {
    fileprivate var isEmpty: Bool { isText("", plain: true) || isText("null", plain: true) || isText("~", plain: true) }

    fileprivate func isText(_ wanted: String, plain: Bool? = nil) -> Bool {
        guard case .scalar(wanted, let isPlain) = content else { return false }
        return plain.map { $0 == isPlain } ?? true
    }

    /// A number, or nil for Python's `None`.
    fileprivate func numberOrNull() throws(ExperimentError) -> Double? {
        if case .null = try value() { return nil }
        return try number("a number or null")
    }
}
