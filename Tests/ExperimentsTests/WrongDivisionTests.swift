import Experiments
import Testing

private let head = WrongExperiment.head

private let wrong: [WrongExperiment] = [
    WrongExperiment(
        mistake: "an unknown key inside a mapping", yaml: head + "partition:\n  fold: 5\n",
        message:
            "e.yaml:4:3: partition.fold: unknown key 'fold'; accepted: below, bootstrap, by, count, folds, groups, min_rows, order, repeats, rows, share, stratify, subsample, test, time, validation, watch, within (did you mean 'folds'?)"
    ),
    WrongExperiment(
        mistake: "a setting of another scheme", yaml: head + "partition: {by: store, repeats: 2}\n",
        message: "e.yaml:3:33: partition.repeats: goes with 'folds' only, not with 'by'"),
    WrongExperiment(
        mistake: "below without a bound", yaml: head + "partition: {by: store, below: pool}\n",
        message: "e.yaml:3:31: partition.below: needs min_rows, which says what is below"),
    WrongExperiment(
        mistake: "folds within folds", yaml: head + "partition: {folds: 3, within: {folds: 3}}\n",
        message: "e.yaml:3:23: partition.within: only the parts of 'by' and 'count' are divided again"),
    WrongExperiment(
        mistake: "two kinds of folds", yaml: head + "partition: {folds: 3, stratify: y, groups: store}\n",
        message: "e.yaml:3:44: partition.groups: excludes 'stratify': one of them"),
    WrongExperiment(
        mistake: "a test set of all rows", yaml: head + "partition: {test: 1.0}\n",
        message:
            "e.yaml:3:19: partition.test: a share of the rows lies between 0 and 1, both excluded; found 1.0"),
    WrongExperiment(
        mistake: "one file a trial from a function",
        yaml: "model: m.py:build\ndata: d.py:load\npartition: {by: file}\n",
        message:
            "e.yaml:3:17: partition.by: the arrays of d.py:load are in no files of the experiment's: let a column say which partition each row is of, and divide by that"
    ),
    WrongExperiment(
        mistake: "validation from a file without a function",
        yaml: "model: m.py:build\ndata: d.py:load\nfit: {validation: d.py}\n",
        message:
            "e.yaml:3:19: fit.validation: 'd.py' names no function, such as d.py:load; accepted: FILE.py:FUNCTION"),
    WrongExperiment(
        mistake: "validation on everything", yaml: head + "fit: {validation: 1}\n",
        message: "e.yaml:3:19: fit.validation: a share of the rows lies between 0 and 1, both excluded; found 1.0"),
    WrongExperiment(
        mistake: "a number in quotes", yaml: head + "fit: {validation: '0.2'}\n",
        message:
            "e.yaml:3:19: fit.validation: must be a share of the rows, or a mapping with x and y, found the text '0.2'"),
    WrongExperiment(
        mistake: "validation with other inputs",
        yaml: "model: m.py:build\ndata: {x: {a: a.npy}}\nfit: {validation: {x: {b: b.npy}}}\n",
        message: "e.yaml:3:20: fit.validation.x: has the inputs b, but data.x has a"),
    WrongExperiment(
        mistake: "files to validate on beside folds",
        yaml: head + "partition: {folds: 3}\nfit: {validation: {x: v.npy, y: w.npy}}\n",
        message:
            "e.yaml:4:7: fit.validation: the rows that each partition holds out are its validation set: leave out the files"
    ),
    WrongExperiment(
        mistake: "one fold", yaml: head + "partition: {folds: 1}\n",
        message: "e.yaml:3:20: partition.folds: must be at least 2, found 1"),
    WrongExperiment(
        mistake: "folds of an unknown column", yaml: head + "partition: {folds: 5, stratify: stor}\n",
        message:
            "e.yaml:3:33: partition.stratify: the data has no column 'stor'; accepted: store, y (did you mean 'store'?)"
    ),
    WrongExperiment(
        mistake: "a group of an unknown column", yaml: head + "partition: {by: shop}\n",
        message: "e.yaml:3:17: partition.by: the data has no column 'shop'; accepted: store, y"),
    WrongExperiment(
        mistake: "two ways to divide", yaml: head + "partition: {folds: 5, count: 3}\n",
        message: "e.yaml:3:1: partition: count and folds exclude each other"),
    WrongExperiment(
        mistake: "shares that are stratified", yaml: head + "partition: {count: 3, stratify: y}\n",
        message: "e.yaml:3:33: partition.stratify: goes with 'folds' only, not with 'count'"),
    WrongExperiment(
        mistake: "a share of nothing", yaml: head + "partition: {count: [100, 0]}\n",
        message: "e.yaml:3:26: partition.count[1]: a partition has at least 1 row, found 0"),
    WrongExperiment(
        mistake: "files that come, without an end", yaml: head + "partition: {by: file, watch: {}}\n",
        message:
            "e.yaml:3:23: partition.watch: says not when no more files come: give until (a file) or idle (seconds)"),
    WrongExperiment(
        mistake: "files that come, named by no pattern", yaml: head + "partition: {by: file, watch: {idle: 5}}\n",
        message:
            "e.yaml:3:17: partition.by: one file a trial needs a pattern that says which files are still coming: data.x and data.y (or data.npz) as parts/x-*.npy"
    ),
    WrongExperiment(
        mistake: "groups that come", yaml: head + "partition: {by: y, watch: {idle: 5}}\n",
        message: "e.yaml:3:20: partition.watch: goes with 'by: file' only"),
    WrongExperiment(
        mistake: "one file a trial from one file", yaml: head + "partition: {by: file}\n",
        message:
            "e.yaml:3:17: partition.by: one file a trial needs several files: data.x and data.y (or data.npz) as lists or patterns, such as parts/x-*.npy"
    ),
    WrongExperiment(
        mistake: "shares beside folds", yaml: head + "partition: {folds: 2}\ntrials: {validation_split: [0.2, 0.3]}\n",
        message: "e.yaml:4:10: trials.validation_split: the rows that each partition holds out are its validation set"),
    WrongExperiment(
        mistake: "shares beside validation data",
        yaml: head + "trials: {validation_split: 0.2}\nfit: {validation_data: {x: v.npy, y: w.npy}}\n",
        message: "e.yaml:3:28: trials.validation_split: fit.validation_data gives the rows to validate on"),
]

@Test("A wrong division of the rows, into partitions or rows to validate on, gives one clear error", arguments: wrong)
func aWrongDivisionGivesOneClearError(_ wrong: WrongExperiment) {
    wrong.check()
}
