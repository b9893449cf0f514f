import Datasets
import Experiments
import Files
import SystemPackage
import TensorFiles
import Testing

/// A table of 8 rows whose column `a` lacks the values of rows 1, 4 and 5, and the experiment on it.
private struct Table {
    let place: Workplace
    let experiment: Experiment

    init(_ rest: String) throws {
        place = try Workplace()
        let nan = Float.nan
        try place.save(
            "made/x.npy", .float32, [8, 2], [1, 0, nan, 1, 3, 2, 5, 3, nan, 4, nan, 5, 20, 6, 40, 7] as [Float])
        try place.save("made/column-0.npy", .int64, [8], [Int64(0), 0, 0, 0, 1, 1, 1, 1])
        let list = """
            {"arrays": [
                {"name": "x", "role": "x", "file": "x.npy", "fills": [{"place": 0, "rule": "mean", "column": "a"}]},
                {"name": "g", "role": "column", "file": "column-0.npy"}],
             "rows": {"read": 8, "dropped": 0}, "sources": []}
            """
        try AtomicFile.write(Array(list.utf8), to: place.folder.appending("made/data.json"))
        experiment = try place.experiment(rest, data: "{table: t.csv, missing: mean}")
            .resolving(["data": PreparedData(place.folder.appending("made"))])
    }

    func filled() throws -> (Dataset, [Partition]) {
        var dataset = try Dataset.open(experiment, relativeTo: place.folder, cache: place.cache)
        var partitions = try dataset.partitions(devices: 1)
        try dataset.fill(&partitions)
        return (dataset, partitions)
    }
}

private func column(_ dataset: Dataset, _ source: Int) throws -> [Float] {
    let numbers = try elements(dataset.sources[source].arrays[0], Float.self)
    return stride(from: 0, to: numbers.count, by: 2).map { numbers[$0] }
}

@Test func eachGroupIsFilledWithItsOwnMeanInOneCopy() throws {
    let table = try Table("partition: {by: g}")
    defer { withExtendedLifetime(table) {} }
    let (dataset, partitions) = try table.filled()
    #expect(partitions.map { $0.fills.map(\.value) } == [[3], [30]])
    #expect(partitions[0].source == partitions[1].source)
    #expect(try column(dataset, partitions[0].source) == [1, 3, 3, 5, 30, 30, 20, 40])
}

@Test func theRowsToValidateOnDoNotCountForTheMean() throws {
    let table = try Table("fit: {validation: 0.25}")
    defer { withExtendedLifetime(table) {} }
    let (dataset, partitions) = try table.filled()
    // Rows 0, 2 and 3 are trained on and have values; 6 and 7 are validated on.
    #expect(partitions[0].fills.map(\.value) == [3])
    #expect(try column(dataset, partitions[0].validationSource ?? -1) == [1, 3, 3, 5, 3, 3, 20, 40])
}

@Test func eachFoldHasACopyOfItsOwnAndTheSecondRunReusesIt() throws {
    let table = try Table("partition: {folds: 4}")
    let (dataset, partitions) = try table.filled()
    #expect(Set(partitions.map(\.source)).count == 4)
    for partition in partitions {
        let numbers = try column(dataset, partition.source)
        let whole = try column(dataset, 0)
        let seen = partition.training.numbers.map { whole[Int($0)] }.filter { !$0.isNaN }
        let mean = Float(seen.reduce(0) { $0 + Double($1) } / Double(seen.count))
        #expect(numbers[1] == mean && numbers[4] == mean && numbers[5] == mean)
        #expect(numbers[7] == 40)
    }
    let again = try table.filled()
    #expect(again.0.sources.map { $0.arrays[0].file } == dataset.sources.map { $0.arrays[0].file })
    #expect(again.0.sources.map { $0.arrays[0].modified } == dataset.sources.map { $0.arrays[0].modified })
}

@Test func aPartitionWithoutAnyValueIsAnError() throws {
    let table = try Table("partition: {rows: r.npy}")
    try table.place.save("r.npy", .int32, [2], [Int32(4), 5])
    let error = #expect(throws: ExperimentError.self) { try table.filled() }
    #expect(
        error?.description.contains("'r' has no value of 'a' in the 2 rows that it trains on, so that there is no mean")
            == true)
}
