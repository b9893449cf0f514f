import Datasets
import Experiments
import TensorFiles
import Testing

@Test func filesThatFollowEachOtherAreOneArrayMadeOnce() throws {
    let place = try Workplace()
    try place.save("x/b.npy", .float64, [2, 2], [Double(5), 6, 7, 8])
    try place.save("x/a.npy", .float64, [2, 2], [Double(1), 2, 3, 4])
    try place.save("y-0.npy", .int64, [3], [Int64(0), 1, 2])
    try place.save("y-1.npy", .int64, [1], [Int64(3)])
    var told: [String] = []
    let experiment = try place.experiment("partition: {by: y}", data: "{x: x/, y: [y-0.npy, y-1.npy]}")
    let dataset = try Dataset.open(experiment, relativeTo: place.folder, cache: place.cache) { told.append($0) }
    #expect(try elements(dataset.inputs[0], Float.self) == [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(try elements(dataset.inputs[1], Int32.self) == [0, 1, 2, 3])
    #expect(try dataset.partitions(devices: 1).map(\.label) == ["0", "1", "2", "3"])
    #expect(told.count == 2 && told[0].contains("joining the 4 rows of 2 files, a.npy first"))
    told = []
    _ = try Dataset.open(experiment, relativeTo: place.folder, cache: place.cache) { told.append($0) }
    #expect(told.isEmpty)
    try place.save("y-1.npy", .int64, [1], [Int64(4)])
    let later = try Dataset.open(experiment, relativeTo: place.folder, cache: place.cache) { told.append($0) }
    #expect(try elements(later.inputs[1], Int32.self) == [0, 1, 2, 4])
}

@Test func filesOfOtherRowsAreNamed() throws {
    let place = try Workplace()
    try place.floats("a.npy", rows: 2)
    try place.floats("b.npy", rows: 2, columns: 3)
    #expect(
        try place.message("", data: "{x: [a.npy, b.npy]}")?
            .hasSuffix("data.x[1]: a row of b.npy is (3,) of float32, but one of a.npy is (2,) of float32") == true)
    #expect(try place.message("", data: "{x: none/}")?.contains("data.x: ") == true)
}
