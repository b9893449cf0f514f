import Datasets
import Experiments
import Files
import SystemPackage
import TensorFiles
import Testing

/// An experiment whose arrays come from functions, and a folder with what one of them returned.
private struct Prepared {
    let place: Workplace
    let experiment: Experiment

    init(_ rest: String, extra: String = "") throws {
        place = try Workplace()
        try place.floats("cache[1]/x.npy", rows: 4)
        try place.save("cache[1]/y.npy", .int64, [4], [Int64(0), 1, 0, 1])
        try place.text("cache[1]/column-0.npy", ["north", "south", "south", "north"])
        let list = """
            {"arrays": [
                {"name": "x", "role": "x", "file": "x.npy", "shape": [4, 2], "dtype": "float32"},
                {"name": "y", "role": "y", "file": "y.npy", "shape": [4], "dtype": "int64"},
                \(extra)
                {"name": "shop", "role": "column", "file": "column-0.npy", "shape": [4], "dtype": "<U5"}],
             "sources": []}
            """
        try AtomicFile.write(Array(list.utf8), to: place.folder.appending("cache[1]/data.json"))
        experiment = try place.experiment(rest, data: "digits.py:load")
    }

    func resolved() throws -> Experiment {
        let data = try PreparedData(place.folder.appending("cache[1]"))
        return try experiment.resolving(["data": data, "fit.validation": data])
    }

    func open() throws -> Dataset {
        try Dataset.open(resolved(), relativeTo: place.folder, cache: place.cache)
    }
}

@Test func whatAFunctionReturnedIsOpenedAndDividedAsFilesAre() throws {
    let prepared = try Prepared("partition: {by: shop}\nfit: {validation: {from: digits.py:later}}")
    #expect(prepared.experiment.dataFunctions.map(\.key) == ["data", "fit.validation"])
    #expect(prepared.experiment.dataFunctions.map(\.function.function) == ["load", "later"])
    #expect(try prepared.resolved().dataFunctions.isEmpty)
    let dataset = try prepared.open()
    #expect(dataset.inputs.map(\.name) == ["x", "y"])
    #expect(dataset.inputs.map(\.dtype) == [.float32, .int32])
    #expect(dataset.inputs[0].origin == "'x' of digits.py:load")
    #expect(dataset.sources[1].arrays[0].origin == "'x' of digits.py:later")
    #expect(try elements(dataset.inputs[1], Int32.self) == [0, 1, 0, 1])
    let partitions = try dataset.partitions(devices: 1)
    #expect(partitions.map(\.label) == ["north", "south"])
    #expect(partitions.map(\.training.numbers) == [[0, 3], [1, 2]])
}

@Test func aColumnThatTheFunctionDidNotReturnIsNamedWhereItIsAskedFor() throws {
    let prepared = try Prepared("partition: {by: stor}")
    let error = #expect(throws: ExperimentError.self) { try prepared.resolved() }
    #expect(error?.description == "e.yaml:3:17: partition.by: the data has no column 'stor'; accepted: shop, y")
}

@Test func arraysOfAFunctionThatDisagreeAreCalledByTheirNames() throws {
    let prepared = try Prepared(
        "", extra: #"{"name": "sample_weight", "role": "sample_weight", "file": "w.npy", "shape": [3], "dtype": "f4"},"#
    )
    try prepared.place.save("cache[1]/w.npy", .float32, [3], [Float(1), 1, 1])
    let error = #expect(throws: ExperimentError.self) { try prepared.open() }
    #expect(
        error?.description
            == "e.yaml:2:7: data.sample_weight: 'sample_weight' of digits.py:load has the shape (3,), but 'x' of digits.py:load has (4, 2): the numbers of rows differ"
    )
}

@Test func aFolderWithoutAListIsNoPreparedData() throws {
    let place = try Workplace()
    #expect(throws: DatasetsError.self) { try PreparedData(place.folder) }
}
