import Datasets
import Experiments
import TensorFiles
import Testing

@Test func withoutASchemeEveryTrialSeesAllRows() throws {
    let place = try Workplace()
    try place.floats("x.npy", rows: 10)
    #expect(try place.open().partitions(devices: 3) == [Partition(label: "all", source: 0, training: .all(10))])
    // Keras: split_at = floor(10 × (1 − 0.25)).
    #expect(
        try place.open("fit: {validation: 0.25}").partitions(devices: 3) == [
            Partition(
                label: "all", source: 0, training: .range(0..<7), validationSource: 0, validation: .range(7..<10))
        ])
}

@Test func sharesFollowEachOther() throws {
    let place = try Workplace()
    try place.floats("x.npy", rows: 10)
    let three = try place.open("partition: {count: 3}").partitions(devices: 1)
    #expect(three.map(\.label) == ["part-0", "part-1", "part-2"])
    #expect(three.map(\.training) == [.range(0..<4), .range(4..<7), .range(7..<10)])
    #expect(try place.open("partition: {count: devices}").partitions(devices: 2).count == 2)
    let sizes = try place.open("partition: {count: [7, 1, 2]}").partitions(devices: 1)
    #expect(sizes.map(\.training) == [.range(0..<7), .range(7..<8), .range(8..<10)])
    #expect(
        try place.message("partition: {count: [7, 1]}")
            == "e.yaml:3:13: partition.count: the sizes add up to 8, but x.npy has 10 rows")
    #expect(
        try place.message("partition: {count: 11}")
            == "e.yaml:3:20: partition.count: 10 rows make no 11 partitions: part-10 would have no rows")
    #expect(
        try place.message("partition: {count: 10}\nfit: {validation: 0.5}")
            == "e.yaml:4:19: fit.validation: the partition 'part-0' has 1 row, too few to set aside a share of 0.5")
}

@Test func eachValueOfAColumnIsAPartition() throws {
    let place = try Workplace()
    try place.floats("x.npy", rows: 5)
    try place.save("int.npy", .int64, [5], [Int64(10), -2, 9, 10, 9])
    try place.save("real.npy", .float64, [5, 1], [0.5, 1, 0.5, 1, 1])
    try place.save("bool.npy", .bool, [5], [UInt8(1), 0, 1, 1, 0])
    try place.save("nan.npy", .float32, [5], [Float(1), .nan, 1, 1, 1])
    try place.save("short.npy", .int32, [4], [Int32(1), 1, 1, 1])
    try place.text("text.npy", ["Łódź", "a", "a", "Łódź", ""])
    let data =
        "{x: x.npy, int: int.npy, real: real.npy, bool: bool.npy, text: text.npy, nan: nan.npy, short: short.npy}"
    func partitions(_ column: String) throws -> [String: [Int32]] {
        let partitions = try place.open("partition: {by: \(column)}", data: data).partitions(devices: 1)
        return Dictionary(uniqueKeysWithValues: partitions.map { ($0.label, $0.training.numbers) })
    }
    #expect(
        try place.open("partition: {by: int}", data: data).partitions(devices: 1).map(\.label) == ["-2", "9", "10"])
    #expect(try partitions("int") == ["-2": [1], "9": [2, 4], "10": [0, 3]])
    #expect(try partitions("real") == ["0.5": [0, 2], "1.0": [1, 3, 4]])
    #expect(try partitions("bool") == ["False": [1, 4], "True": [0, 2, 3]])
    #expect(try partitions("text") == ["": [4], "a": [1, 2], "Łódź": [0, 3]])
    #expect(
        try place.message("partition: {by: nan}", data: data)?
            .hasSuffix("data.nan: nan.npy holds NaN, which is no value to divide rows by") == true)
    #expect(
        try place.message("partition: {by: short}", data: data)?
            .hasSuffix("data.short: short.npy has 4 rows, but x.npy has 5") == true)
}

@Test(arguments: [(5, 23), (2, 2), (7, 1000)])
func everyRowIsHeldOutOnce(folds: Int, rows: Int) throws {
    let place = try Workplace()
    try place.floats("x.npy", rows: rows)
    let partitions = try place.open("partition: {folds: \(folds)}").partitions(devices: 1)
    #expect(partitions.flatMap { $0.validation?.numbers ?? [] }.sorted() == (0..<Int32(rows)).map { $0 })
    for partition in partitions {
        let held = partition.validation?.numbers ?? []
        #expect((partition.training.numbers + held).sorted() == (0..<Int32(rows)).map { $0 })
        #expect(held.count == rows / folds || held.count == rows / folds + 1)
    }
}

@Test func stratifiedFoldsShareEveryClassEvenly() throws {
    let place = try Workplace()
    try place.floats("x.npy", rows: 103)
    // Classes of 60, 30 and 13 rows, not in order.
    let classes = (0..<103).map { row in Int64([0, 0, 1][row % 3] + (row % 8 == 7 ? 2 : 0)) }
    try place.save("y.npy", .int64, [103], classes)
    let data = "{x: x.npy, y: y.npy}"
    let partitions = try place.open("partition: {folds: 4, stratify: y}", data: data).partitions(devices: 1)
    let counts = partitions.map { partition in
        (partition.validation?.numbers ?? []).reduce(into: [Int64: Int]()) { $0[classes[Int($1)], default: 0] += 1 }
    }
    for value in Set(classes) {
        let shares = counts.map { $0[value] ?? 0 }
        #expect((shares.max() ?? 0) - (shares.min() ?? 0) <= 1)
    }
    let sizes = partitions.map { $0.validation?.count ?? 0 }
    #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
    // The same seed repeats, another one does not.
    #expect(try place.open("partition: {folds: 4, stratify: y}", data: data).partitions(devices: 1) == partitions)
    let other = "partition: {folds: 4, stratify: y}\nseed: 1"
    #expect(try place.open(other, data: data).partitions(devices: 1) != partitions)
    // One-hot targets are classes too.
    try place.save(
        "hot.npy", .float32, [103, 4], classes.flatMap { value in (0..<4).map { $0 == value ? Float(1) : 0 } })
    let hot = try place.open("partition: {folds: 4, stratify: y}", data: "{x: x.npy, y: hot.npy}").partitions(
        devices: 1)
    #expect(hot.map { $0.validation?.count } == partitions.map { $0.validation?.count })
    try place.save("y.npy", .float32, [103], (0..<103).map { Float($0) })
    #expect(
        try place.message("partition: {folds: 4, stratify: y}", data: data)?
            .contains("no value of 'y' is in 4 rows or more") == true)
}

@Test func bootstrapSamplesLeaveTheOtherRowsToValidateOn() throws {
    let place = try Workplace()
    try place.floats("x.npy", rows: 200)
    let partitions = try place.open("partition: {bootstrap: 3}").partitions(devices: 1)
    #expect(partitions.map(\.label) == ["sample-0", "sample-1", "sample-2"])
    for partition in partitions {
        #expect(partition.training.count == 200)
        let held = Set(partition.validation?.numbers ?? [])
        #expect(held == Set(0..<200).subtracting(partition.training.numbers))
        // Of 200 rows e⁻¹ are left on average, 73, with a deviation of 4.5.
        #expect((46...100).contains(held.count))
    }
    #expect(partitions[0].training != partitions[1].training)
    try place.floats("x.npy", rows: 1)
    #expect(
        try place.message("partition: {bootstrap: 3}")
            == "e.yaml:3:24: partition.bootstrap: sample-0 drew every one of the 1 rows, so that none is left to validate on"
    )
}
