import Experiments
import Testing

/// An experiment file with one mistake, and what the user reads.
struct WrongExperiment: Sendable, CustomTestStringConvertible {
    var mistake: String
    var yaml: String
    var message: String
    var overrides: [String] = []

    var testDescription: String { mistake }

    /// What an experiment file begins with whose mistake comes after it.
    static let head = "model: models.py:build\ndata: {x: x.npy, y: y.npy, store: store.npy}\n"

    /// Reads the file, and holds what is told to what should be.
    func check() {
        let error = #expect(throws: ExperimentError.self) {
            try Experiment(yaml: yaml, file: "e.yaml", overrides: overrides)
        }
        #expect(error?.description == message)
    }
}

private let head = WrongExperiment.head

private let wrong: [WrongExperiment] = [
    WrongExperiment(
        mistake: "an unknown key at the top", yaml: head + "trails: {seed: 1}\n",
        message:
            "e.yaml:3:1: trails: unknown key 'trails'; accepted: adapt, backend, callbacks, checkpoint, custom_objects, data, engine, environment, fit, model, name, partition, python, runners_per_device, save, seed, start, summarize, trials (did you mean 'trials'?)"
    ),
    WrongExperiment(
        mistake: "a random search of no trials", yaml: head + "trials: {random: 0, a: {uniform: [0.0, 1.0]}}\n",
        message: "e.yaml:3:18: trials.random: a random search has 1 to 1000000 trials, found 0"),
    WrongExperiment(
        mistake: "bounds the wrong way round", yaml: head + "trials:\n  random: 5\n  a: {uniform: [1.0, 0.5]}\n",
        message: "e.yaml:5:7: trials.a.uniform: must be two numbers, the lesser first, such as [0.1, 0.5]"),
    WrongExperiment(
        mistake: "a logarithm of zero", yaml: head + "trials:\n  random: 5\n  a: {log_uniform: [0, 0.5]}\n",
        message: "e.yaml:5:7: trials.a.log_uniform: must begin above 0, found 0.0"),
    WrongExperiment(
        mistake: "an unknown distribution", yaml: head + "trials:\n  random: 5\n  a: {lognormal: [0, 0.5]}\n",
        message: "e.yaml:5:7: trials.a.lognormal: unknown key 'lognormal'; accepted: log_uniform, range, uniform"),
    WrongExperiment(
        mistake: "seeds that are no whole numbers", yaml: head + "trials:\n  random: 5\n  seed: {uniform: [0, 5]}\n",
        message:
            "e.yaml:5:10: trials.seed.uniform: seed is no number with a point: give a list or a range to draw from"),
    WrongExperiment(
        mistake: "an unknown key of fit", yaml: head + "fit: {epochs: 3, batchsize: 32}\n",
        message:
            "e.yaml:3:18: fit.batchsize: unknown key 'batchsize'; accepted: batch_size, class_weight, epochs, initial_epoch, on_divergence, sample_weight, shuffle, steps_per_epoch, time_limit, validation, validation_batch_size, validation_data, validation_freq, validation_split, validation_steps (did you mean 'batch_size'?)"
    ),
    WrongExperiment(
        mistake: "a key given twice", yaml: head + "fit:\n  epochs: 1\n  epochs: 2\n",
        message: "e.yaml:4:3: not valid YAML: the key 'epochs' is given twice"),
    WrongExperiment(
        mistake: "brackets that do not close", yaml: head + "fit: {epochs: 3\nsave: all\n",
        message: "e.yaml:4:5: not valid YAML: while parsing a flow mapping, did not find expected ',' or '}'"),
    WrongExperiment(
        mistake: "tabs", yaml: head + "fit:\n\tepochs: 3\n",
        message:
            "e.yaml:4:1: not valid YAML: while scanning for the next token, found character that cannot start any token"
    ),
    WrongExperiment(
        mistake: "an empty file", yaml: "# nothing\n",
        message: "e.yaml:1:1: the file is empty; an experiment has model, data and fit"),
    WrongExperiment(
        mistake: "a list instead of a mapping", yaml: "- a\n- b\n",
        message:
            "e.yaml:1:1: must be a mapping, found a list; accepted: adapt, backend, callbacks, checkpoint, custom_objects, data, engine, environment, fit, model, name, partition, python, runners_per_device, save, seed, start, summarize, trials"
    ),
    WrongExperiment(
        mistake: "no model", yaml: "data: {x: x.npy}\n",
        message: "e.yaml:1:1: model: is missing: where the model comes from, such as models.py:build"),
    WrongExperiment(
        mistake: "no data", yaml: "name: a\nmodel: models.py:build\n",
        message: "e.yaml:1:1: data: is missing: the arrays, such as {x: x.npy, y: y.npy}"),
    WrongExperiment(
        mistake: "no inputs", yaml: "model: models.py:build\ndata: {X: x.npy, y: y.npy}\n",
        message: "e.yaml:2:1: data.x: is missing: the inputs of the model, here called 'X'"),
    WrongExperiment(
        mistake: "a file without a function", yaml: "model: models.py\ndata: {x: x.npy}\n",
        message:
            "e.yaml:1:8: model: 'models.py' names no function, such as models.py:build; accepted: FILE.py:FUNCTION, FILE.keras, FOLDER/, a list of files, {cross: …}, {paired: …}, a mapping with layers and compile, {config: FILE.json}"
    ),
    WrongExperiment(
        mistake: "an old model file", yaml: "model: old.h5\ndata: {x: x.npy}\n",
        message:
            "e.yaml:1:8: model: 'old.h5' is in Keras's old format: load it in Keras and save it as .keras; accepted: FILE.py:FUNCTION, FILE.keras, FOLDER/, a list of files, {cross: …}, {paired: …}, a mapping with layers and compile, {config: FILE.json}"
    ),
    WrongExperiment(
        mistake: "weights in place of a model", yaml: "model: m.weights.h5\ndata: {x: x.npy}\n",
        message:
            "e.yaml:1:8: model: 'm.weights.h5' holds weights without their model: name the model here, such as models.py:build, and the weights as start; accepted: FILE.py:FUNCTION, FILE.keras, FOLDER/, a list of files, {cross: …}, {paired: …}, a mapping with layers and compile, {config: FILE.json}"
    ),
    WrongExperiment(
        mistake: "a list with a file that is no model", yaml: "model: [a.keras, b.h5]\ndata: {x: x.npy}\n",
        message: "e.yaml:1:1: model: 'b.h5' is neither a .keras file nor a folder (with a / at its end)"),
    WrongExperiment(
        mistake: "a model given twice", yaml: "model: [a.keras, a.keras]\ndata: {x: x.npy}\n",
        message: "e.yaml:1:1: model: 'a.keras' is there already"),
    WrongExperiment(
        mistake: "models crossed and paired", yaml: "model: {cross: a/, paired: b/}\ndata: {x: x.npy}\n",
        message: "e.yaml:1:1: model: is either cross or paired; accepted: {cross: FILES}, {paired: FILES}"),
    WrongExperiment(
        mistake: "weights for a model that has some", yaml: "model: a.keras\nstart: w.weights.h5\ndata: {x: x.npy}\n",
        message: "e.yaml:2:8: start: the model's file has weights of its own: leave this out"),
    WrongExperiment(
        mistake: "weights of an unknown kind", yaml: "model: m.py:build\nstart: w.h5\ndata: {x: x.npy}\n",
        message:
            "e.yaml:2:8: start: 'w.h5' is no file of weights; accepted: FILE.weights.h5, FILE.keras, FOLDER/, a pattern, a list, {cross: …}, {paired: …}"
    ),
    WrongExperiment(
        mistake: "an axis of the starts' name",
        yaml: "model: m.py:build\nstart: weights/\ndata: {x: x.npy}\ntrials: {start: [1, 2]}\n",
        message: "e.yaml:4:10: trials.start: the files of start are an axis of this name already"),
    WrongExperiment(
        mistake: "an inline model that is not compiled", yaml: "model: {layers: [Flatten]}\ndata: {x: x.npy}\n",
        message: "e.yaml:1:1: model.compile: is missing: the arguments of Model.compile"),
    WrongExperiment(
        mistake: "an inline model without a loss",
        yaml: "model:\n  layers: [{Dense: {units: 3}}]\n  compile: {optimizer: adam}\ndata: {x: x.npy}\n",
        message: "e.yaml:3:3: model.compile.loss: is missing"),
    WrongExperiment(
        mistake: "a layer that is none",
        yaml: "model:\n  layers: [Flatten, {Dense: 3}]\n  compile: {optimizer: adam, loss: mse}\ndata: {x: x.npy}\n",
        message:
            "e.yaml:2:21: model.layers[1]: a layer is a Keras class name, or one over its arguments, such as Dense: {units: 64}"
    ),
    WrongExperiment(
        mistake: "data of an unknown kind", yaml: "model: m.py:build\ndata: {x: x.csv}\n",
        message:
            "e.yaml:2:11: data.x: 'x.csv' is a table: give it as data.table, and its columns as features and target"),
    WrongExperiment(
        mistake: "an archive without a name", yaml: "model: m.py:build\ndata: {x: d.npz}\n",
        message: "e.yaml:2:11: data.x: 'd.npz' holds several arrays: name one, such as d.npz:x"),
    WrongExperiment(
        mistake: "data from a file without a function", yaml: "model: m.py:build\ndata: digits.py\n",
        message:
            "e.yaml:2:7: data: 'digits.py' names no function, such as digits.py:load; accepted: FILE.py:FUNCTION"),
    WrongExperiment(
        mistake: "data from what is no function", yaml: "model: m.py:build\ndata: {from: x.npy}\n",
        message: "e.yaml:2:14: data.from: must be a Python function, found x.npy; accepted: FILE.py:FUNCTION"),
    WrongExperiment(
        mistake: "a bare file as data", yaml: "model: m.py:build\ndata: x.npy\n",
        message:
            "e.yaml:2:7: data: must be a mapping, or FILE.py:FUNCTION, found x.npy; accepted: x, y, sample_weight, npz, from, table, images, further names"
    ),
    WrongExperiment(
        mistake: "a file beside a function", yaml: "model: m.py:build\ndata: {from: d.py:load, y: y.npy}\n",
        message: "e.yaml:2:28: data.y: d.py:load returns all arrays: leave this out, or 'from'"),
    WrongExperiment(
        mistake: "words for a number", yaml: head + "fit: {epochs: ten}\n",
        message: "e.yaml:3:15: fit.epochs: must be a whole number from 1, found ten"),
    WrongExperiment(
        mistake: "a fraction of an epoch", yaml: head + "fit: {epochs: 1.5}\n",
        message: "e.yaml:3:15: fit.epochs: must be a whole number from 1, found 1.5"),
    WrongExperiment(
        mistake: "no epochs", yaml: head + "fit: {epochs: 0}\n",
        message: "e.yaml:3:15: fit.epochs: must be a whole number from 1, found 0"),
    WrongExperiment(
        mistake: "empty batches", yaml: head + "fit:\n  batch_size: 0\n",
        message: "e.yaml:4:15: fit.batch_size: must be a whole number from 1, or null, found 0"),
    WrongExperiment(
        mistake: "more steps than can be counted", yaml: head + "fit: {steps_per_epoch: 9223372036854775807}\n",
        message: "e.yaml:3:24: fit.steps_per_epoch: must be at most 2147483647, found 9223372036854775807"),
    WrongExperiment(
        mistake: "a trial of more epochs than can be counted", yaml: head + "trials: {epochs: [1, 2147483648]}\n",
        message: "e.yaml:3:10: trials.epochs: must be at most 2147483647, found 2147483648"),
    WrongExperiment(
        mistake: "a word for true", yaml: head + "fit: {shuffle: yes}\n",
        message: "e.yaml:3:16: fit.shuffle: must be true, false, batch, or {window: ROWS} of 2 rows or more, found yes"),
    WrongExperiment(
        mistake: "a window of one row", yaml: head + "fit: {shuffle: {window: 1}}\n",
        message:
            "e.yaml:3:7: fit.shuffle: must be true, false, batch, or {window: ROWS} of 2 rows or more, found a mapping"),
    WrongExperiment(
        mistake: "files that come, by a pattern of several parts",
        yaml: "model: m.py:build\ndata: {x: p-*/x-*.npy}\npartition: {by: file, watch: {idle: 5}}\n",
        message:
            "e.yaml:2:11: data.x: one pattern with one * in the name says which files are still coming (parts/x-*.npy), or a folder; found p-*/x-*.npy"
    ),
    WrongExperiment(
        mistake: "a misspelt range", yaml: head + "trials: {seed: {rang: 3}}\n",
        message: "e.yaml:3:17: trials.seed.rang: unknown key 'rang'; accepted: range (did you mean 'range'?)"),
    WrongExperiment(
        mistake: "an empty range", yaml: head + "trials: {seed: {range: [5, 5]}}\n",
        message: "e.yaml:3:17: trials.seed.range: the range is empty"),
    WrongExperiment(
        mistake: "an axis without values", yaml: head + "trials: {units: []}\n",
        message: "e.yaml:3:10: trials.units: has no values"),
    WrongExperiment(
        mistake: "the same value twice", yaml: head + "trials: {units: [32, 64, 32]}\n",
        message: "e.yaml:3:26: trials.units[2]: the value 32 is there already"),
    WrongExperiment(
        mistake: "a learning rate of 0", yaml: head + "trials:\n  learning_rate: [0.1, 0]\n",
        message: "e.yaml:4:24: trials.learning_rate[1]: a learning rate is a number greater than 0, found 0.0"),
    WrongExperiment(
        mistake: "a negative seed", yaml: head + "trials: {seed: -1}\n",
        message: "e.yaml:3:16: trials.seed: a seed is a whole number from 0 to 4294967295, found -1"),
    WrongExperiment(
        mistake: "a seed beyond Keras's", yaml: head + "seed: 4294967296\n",
        message: "e.yaml:3:7: seed: a seed is a whole number from 0 to 4294967295, found 4294967296"),
    WrongExperiment(
        mistake: "a setting of fit that is the same for all trials as an axis",
        yaml: head + "trials: {validation: [0.1, 0.2]}\n",
        message: "e.yaml:3:10: trials.validation: a setting of fit, the same for all trials: give it as fit.validation"),
    WrongExperiment(
        mistake: "weights of a column that is not there", yaml: head + "trials: {sample_weight: [null, shop]}\n",
        message: "e.yaml:3:10: trials.sample_weight: the data has no column 'shop'; accepted: store, y"),
    WrongExperiment(
        mistake: "a trial with two kinds of weights",
        yaml: head + "trials: [{class_weight: {0: 2}, sample_weight: store}]\n",
        message:
            "e.yaml:3:11: trials[0].class_weight: the rows are weighed by sample_weight already: give one of the two"),
    WrongExperiment(
        mistake: "an axis of batch sizes with none", yaml: head + "trials: {batch_size: [16, 0]}\n",
        message: "e.yaml:3:27: trials.batch_size[1]: must be a whole number from 1, or null, found 0"),
    WrongExperiment(
        mistake: "a validation after no epoch", yaml: head + "fit: {validation_freq: [2, 0]}\n",
        message:
            "e.yaml:3:7: fit.validation_freq: must be a whole number from 1, or a list of epochs counted from 1, found a list"
    ),
    WrongExperiment(
        mistake: "validation given twice", yaml: head + "fit: {validation: 0.2, validation_split: 0.3}\n",
        message: "e.yaml:3:42: fit.validation_split: fit.validation says already what is validated on"),
    WrongExperiment(
        mistake: "weights of named classes", yaml: head + "fit: {class_weight: {cat: 2}}\n",
        message:
            "e.yaml:3:7: fit.class_weight: must be a mapping from class numbers to weights, such as {0: 1, 1: 2.5}, or null, found a mapping"
    ),
    WrongExperiment(
        mistake: "weights of classes beside weights of rows",
        yaml: head + "fit: {class_weight: {0: 2}, sample_weight: store}\n",
        message:
            "e.yaml:3:7: fit.class_weight: the rows are weighed by sample_weight already: give one of the two"),
    WrongExperiment(
        mistake: "weights of the classes of several targets",
        yaml: "model: m.py:build\ndata: {x: x.npy, y: {a: a.npy, b: b.npy}}\ntrials: {class_weight: {0: 2}}\n",
        message:
            "e.yaml:3:10: trials.class_weight: classes are those of one target, given as data.y itself and not as a mapping; found a, b"
    ),
    WrongExperiment(
        mistake: "training that begins where it ends", yaml: head + "fit: {epochs: 3, initial_epoch: 3}\n",
        message:
            "e.yaml:3:33: fit.initial_epoch: epochs from 3 to 3 are none: initial_epoch must be less than epochs"),
    WrongExperiment(
        mistake: "an axis of which one value leaves nothing to train",
        yaml: head + "trials: {epochs: [2, 5]}\nfit: {initial_epoch: 2}\n",
        message: "e.yaml:3:10: trials.epochs: epochs from 2 to 2 are none: initial_epoch must be less than epochs"),
    WrongExperiment(
        mistake: "a trial that begins where it ends", yaml: head + "trials:\n  - {initial_epoch: 1}\n",
        message:
            "e.yaml:4:21: trials[0].initial_epoch: epochs from 1 to 1 are none: initial_epoch must be less than epochs"
    ),
    WrongExperiment(
        mistake: "arguments for a model file",
        yaml: "model: m.keras\ndata: {x: x.npy}\ntrials: {unit: [1, 2]}\n",
        message:
            "e.yaml:3:10: trials.unit: only a build function takes arguments, and the model is not one; accepted: batch_size, class_weight, epochs, initial_epoch, learning_rate, sample_weight, seed, shuffle, steps_per_epoch, time_limit, validation_batch_size, validation_freq, validation_split, validation_steps"
    ),
    WrongExperiment(
        mistake: "a mapping as a parameter", yaml: head + "trials:\n- {units: {a: 1}}\n",
        message: "e.yaml:4:4: trials[0].units: must be a number, text, true, false, null or a list, found a mapping"),
    WrongExperiment(
        mistake: "too many trials", yaml: head + "trials: {seed: {range: 2000}, a: {range: 2000}}\n",
        message: "e.yaml:3:1: trials: make 4000000 trials; an experiment has at most 1000000"),
    WrongExperiment(
        mistake: "an unknown engine", yaml: head + "engine: nativ\n",
        message: "e.yaml:3:9: engine: no engine is called 'nativ'; accepted: auto, native, fit (did you mean 'native'?)"
    ),
    WrongExperiment(
        mistake: "an unknown backend", yaml: head + "backend: tensorflw\n",
        message:
            "e.yaml:3:10: backend: Keras has no backend 'tensorflw'; accepted: auto, jax, tensorflow, torch (did you mean 'tensorflow'?)"
    ),
    WrongExperiment(
        mistake: "a checkpoint every 0 epochs", yaml: head + "checkpoint: {every_epochs: 0}\n",
        message: "e.yaml:3:28: checkpoint.every_epochs: must be a whole number from 1, found 0"),
    WrongExperiment(
        mistake: "a checkpoint every -1 seconds", yaml: head + "checkpoint: {every_seconds: -1}\n",
        message: "e.yaml:3:29: checkpoint.every_seconds: must be a number of seconds from 0, found -1.0"),
    WrongExperiment(
        mistake: "an unknown key of checkpoint", yaml: head + "checkpoint: {every: 5}\n",
        message:
            "e.yaml:3:14: checkpoint.every: unknown key 'every'; accepted: at_end, every_epochs, every_seconds"),
    WrongExperiment(
        mistake: "custom objects that are no Python file",
        yaml: "model: a.keras\ndata: {x: x.npy, y: y.npy}\ncustom_objects: layers\n",
        message: "e.yaml:3:17: custom_objects: 'layers' is not a Python file"),
    WrongExperiment(
        mistake: "no layers to adapt", yaml: head + "adapt: []\n",
        message: "e.yaml:3:1: adapt: names no layer; accepted: true, false, the names of layers"),
    WrongExperiment(
        mistake: "a layer to adapt twice", yaml: head + "adapt: [a, b, a]\n",
        message: "e.yaml:3:15: adapt[2]: the layer 'a' is there already"),
    WrongExperiment(
        mistake: "a number of layers to adapt", yaml: head + "adapt: 3\n",
        message: "e.yaml:3:8: adapt: must be true, false, or the names of layers, found 3"),
    WrongExperiment(
        mistake: "custom objects for a build function", yaml: head + "custom_objects: layers.py\n",
        message:
            "e.yaml:3:17: custom_objects: only files of Keras's need it: a build function imports what it uses"),
    WrongExperiment(
        mistake: "no process of Model.fit on a device", yaml: head + "runners_per_device: 0\n",
        message: "e.yaml:3:21: runners_per_device: must be a whole number from 1 to 1024, found 0"),
    WrongExperiment(
        mistake: "an unknown choice of models", yaml: head + "save: bets\n",
        message:
            "e.yaml:3:7: save: unknown choice 'bets'; accepted: all, best, initial, none, {best: METRIC}, {top: N, monitor: METRIC}"
    ),
    WrongExperiment(
        mistake: "an unknown choice for what diverges", yaml: head + "fit: {on_divergence: halt}\n",
        message: "e.yaml:3:22: fit.on_divergence: unknown choice 'halt'; accepted: continue, stop"),
    WrongExperiment(
        mistake: "no models among others", yaml: head + "save: [all, none]\n",
        message: "e.yaml:3:13: save[1]: 'none' keeps no model: it stands alone, or is left out"),
    WrongExperiment(
        mistake: "an empty list of models to keep", yaml: head + "save: []\n",
        message:
            "e.yaml:3:1: save: names no models to keep; `none` keeps none; accepted: all, best, initial, none, {best: METRIC}, {top: N, monitor: METRIC}"
    ),
    WrongExperiment(
        mistake: "the best by what is not measured", yaml: head + "save: {best: val_loss}\n",
        message:
            "e.yaml:3:1: save: 'val_loss' is never measured, since nothing is validated: give fit.validation, or monitor loss"
    ),
    WrongExperiment(
        mistake: "a summary that is no function", yaml: head + "summarize: summary.py\n",
        message: "e.yaml:3:12: summarize: 'summary.py' names no Python function; accepted: FILE.py:FUNCTION"),
    WrongExperiment(
        mistake: "a name with a folder", yaml: head + "name: a/b\n",
        message:
            "e.yaml:3:7: name: 'a/b' cannot be a part of folder names: 1 to 100 bytes (a letter beyond ASCII takes 2 to 4), no '/', no control characters, no '.' at the start"
    ),
    WrongExperiment(
        mistake: "an override of an unknown key", yaml: head,
        message:
            "--set fit.epoch=3: fit.epoch: unknown key 'epoch'; accepted: batch_size, class_weight, epochs, initial_epoch, on_divergence, sample_weight, shuffle, steps_per_epoch, time_limit, validation, validation_batch_size, validation_data, validation_freq, validation_split, validation_steps (did you mean 'epochs'?)",
        overrides: ["fit.epoch=3"]),
    WrongExperiment(
        mistake: "an override without a value", yaml: head,
        message: "--set fit.epochs: expected KEY=VALUE, such as fit.epochs=5", overrides: ["fit.epochs"]),
    WrongExperiment(
        mistake: "an override out of range", yaml: head + "fit: {epochs: 3}\n",
        message: "--set fit.epochs=0: fit.epochs: must be a whole number from 1, found 0", overrides: ["fit.epochs=0"]),
    WrongExperiment(
        mistake: "a callback by its class name", yaml: head + "callbacks: [EarlyStopping]\n",
        message:
            "e.yaml:3:13: callbacks[0]: unknown callback 'EarlyStopping'; accepted: csv_logger, early_stopping, learning_rate_scheduler, model_checkpoint, reduce_lr_on_plateau, swap_ema_weights, terminate_on_nan, FILE.py:FUNCTION (did you mean 'early_stopping'?)"
    ),
    WrongExperiment(
        mistake: "an unknown argument of a callback",
        yaml: head + "callbacks:\n  - early_stopping: {monitor: loss, patiance: 3}\n",
        message:
            "e.yaml:4:37: callbacks[0].early_stopping.patiance: unknown key 'patiance'; accepted: baseline, min_delta, mode, monitor, patience, restore_best_weights, start_from_epoch, verbose (did you mean 'patience'?)"
    ),
    WrongExperiment(
        mistake: "a mode that Keras would warn of",
        yaml: head + "callbacks:\n  - early_stopping: {monitor: loss, mode: maximum}\n",
        message: "e.yaml:4:43: callbacks[0].early_stopping.mode: unknown mode 'maximum'; accepted: auto, min, max"),
    WrongExperiment(
        mistake: "a factor that reduces nothing",
        yaml: head + "callbacks:\n  - terminate_on_nan\n  - reduce_lr_on_plateau: {monitor: loss, factor: 1.5}\n",
        message:
            "e.yaml:5:51: callbacks[1].reduce_lr_on_plateau.factor: must be at least 0 and less than 1, found 1.5"),
    WrongExperiment(
        mistake: "a validation metric without validation", yaml: head + "callbacks: [early_stopping]\n",
        message:
            "e.yaml:3:13: callbacks[0].early_stopping.monitor: 'val_loss' is never measured, since nothing is validated: give fit.validation, or monitor loss"
    ),
    WrongExperiment(
        mistake: "a place for checkpoints",
        yaml: head + "callbacks:\n  - model_checkpoint: {filepath: best.keras}\n",
        message:
            "e.yaml:4:34: callbacks[0].model_checkpoint.filepath: the files have places of their own, models/NAME.epoch-003.keras, or models/NAME.checkpoint.keras with save_best_only: leave it out"
    ),
    WrongExperiment(
        mistake: "a schedule that is no function",
        yaml: head + "callbacks:\n  - learning_rate_scheduler: {schedule: rates.py}\n",
        message:
            "e.yaml:4:41: callbacks[0].learning_rate_scheduler.schedule: 'rates.py' names no Python function; accepted: FILE.py:FUNCTION"
    ),
    WrongExperiment(
        mistake: "a scheduler without its schedule", yaml: head + "callbacks: [learning_rate_scheduler]\n",
        message:
            "e.yaml:3:13: callbacks[0].schedule: is missing: a function of the epoch and the learning rate, FILE.py:FUNCTION"
    ),
    WrongExperiment(
        mistake: "a separator of two characters", yaml: head + "callbacks:\n  - csv_logger: {separator: '||'}\n",
        message:
            "e.yaml:4:29: callbacks[0].csv_logger.separator: must be one character, and no quote or end of a line, found '||'"
    ),
    WrongExperiment(
        mistake: "an override below a value", yaml: head,
        message: "--set model.layers=3: model: is not a mapping, so that it has no key 'layers' to set",
        overrides: ["model.layers=3"]),
]

@Test("A wrong experiment file gives one clear error", arguments: wrong)
func aWrongExperimentFileGivesOneClearError(_ wrong: WrongExperiment) {
    wrong.check()
}
