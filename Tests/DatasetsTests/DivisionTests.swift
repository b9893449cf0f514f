import Datasets
import Experiments
import TensorFiles
import Testing

/// 60 rows of five stores: 30 of a, 15 of b, 9 of c, 4 of d, 2 of e, mixed; hours run backwards.
private func stores() throws -> Workplace {
    let place = try Workplace()
    try place.floats("x.npy", rows: 60)
    let names = (0..<60).map { row in
        switch row % 20 {
        case 0..<10: "a"
        case 10..<15: "b"
        case 15..<18: "c"
        case 18: row < 40 ? "d" : "e"
        default: row < 40 ? "d" : "e"
        }
    }
    try place.text("store.npy", names)
    try place.save("hour.npy", .int32, [60], (0..<60).map { Int32(100 - $0) })
    return place
}

private let data = "{x: x.npy, store: store.npy, hour: hour.npy}"

private func divide(_ place: Workplace, _ rest: String) throws -> Division {
    try place.open(rest, data: data).division(devices: 2)
}

@Test func stridedSharesTakeEveryNthRow() throws {
    let place = try stores()
    let parts = try divide(place, "partition: {count: 7, order: strided}").partitions
    #expect(parts.map(\.training.count) == [9, 9, 9, 9, 8, 8, 8])
    #expect(parts[3].training.numbers == stride(from: 3, to: 60, by: 7).map { Int32($0) })
    #expect(parts.flatMap(\.training.numbers).sorted() == Array(0..<60))
}

@Test func smallGroupsAreLeftOutOrPooledAndListed() throws {
    let place = try stores()
    let skipped = try divide(place, "partition: {by: store, min_rows: 9}")
    #expect(skipped.partitions.map(\.label) == ["a", "b", "c"])
    #expect(skipped.notes == ["partition: 2 groups by 'store' with fewer than 9 rows, left out: d (4), e (2)"])
    let pooled = try divide(place, "partition: {by: store, min_rows: 9, below: pool}")
    #expect(pooled.partitions.map(\.label) == ["a", "b", "c", "others"])
    #expect(pooled.partitions[3].training.numbers == [18, 19, 38, 39, 58, 59])
    #expect(pooled.notes[0].contains("together in the partition 'others': d (4), e (2)"))
    #expect(
        try place.message("partition: {by: store, min_rows: 31}", data: data)?
            .contains("partition.min_rows: every group by 'store' has fewer than 31 rows: a (30), b (15)") == true)
}

@Test func noGroupIsInTwoFolds() throws {
    let place = try stores()
    let names = (0..<60).map { Int32($0 / 4) }
    try place.save("g.npy", .int32, [60], names)
    let dataset = try place.open("partition: {folds: 4, groups: g}", data: "{x: x.npy, g: g.npy}")
    let parts = try dataset.partitions(devices: 1)
    for part in parts {
        let training = Set(part.training.numbers.map { names[Int($0)] })
        let held = Set((part.validation?.numbers ?? []).map { names[Int($0)] })
        #expect(training.isDisjoint(with: held))
        #expect(training.count + held.count == 15)
    }
    #expect(parts.map { $0.validation?.count ?? 0 }.sorted() == [12, 16, 16, 16])
    #expect(parts.flatMap { $0.validation?.numbers ?? [] }.sorted() == Array(0..<60))
    let other = try place.open("seed: 1\npartition: {folds: 4, groups: g}", data: "{x: x.npy, g: g.npy}")
    #expect(try other.partitions(devices: 1) != parts)
    #expect(
        try place.message("partition: {folds: 6, groups: store}", data: data)?
            .contains("'store' has 5 values for 6 folds") == true)
}

@Test func foldsInTheOrderOfTimeTrainOnWhatCameBefore() throws {
    let place = try stores()
    // scikit-learn: TimeSeriesSplit(4) of 60 rows tests rows 12..<24, 24..<36, 36..<48 and 48..<60.
    let own = try divide(place, "partition: {folds: 4, time: rows}").partitions
    #expect(own.map { $0.validation?.numbers.first } == [12, 24, 36, 48])
    #expect(own.map(\.training.count) == [12, 24, 36, 48])
    #expect(own.allSatisfy { ($0.training.numbers.max() ?? 0) < ($0.validation?.numbers.min() ?? 0) })
    let hours = try divide(place, "partition: {folds: 4, time: hour}").partitions
    #expect(hours[0].training.numbers == (48..<60).reversed())
    #expect(hours[3].validation?.numbers == (0..<12).reversed())
}

@Test func repeatedFoldsAreDrawnAnewEachTimeAndTheFirstAreThoseOfOne() throws {
    let place = try stores()
    let once = try divide(place, "partition: {folds: 3, stratify: store}").partitions
    let twice = try divide(place, "partition: {folds: 3, stratify: store, repeats: 2}").partitions
    #expect(
        twice.map(\.label).prefix(4) == ["repeat-0-fold-0", "repeat-0-fold-1", "repeat-0-fold-2", "repeat-1-fold-0"])
    #expect(twice.prefix(3).map(\.training) == once.map(\.training))
    #expect(twice[3].training != twice[0].training)
}

@Test func samplesWithoutReplacementValidateOnTheOthers() throws {
    let place = try stores()
    let parts = try divide(place, "partition: {subsample: 3, share: 0.3}").partitions
    for part in parts {
        #expect(part.training.count == 18)
        #expect((part.training.numbers + (part.validation?.numbers ?? [])).sorted() == Array(0..<60))
    }
    #expect(parts[0].training != parts[1].training)
    #expect(
        try place.message("partition: {subsample: 3, share: 0.01}", data: data)?
            .contains("partition.share: a share of 0.01 of the 60 rows is less than one row") == true)
}

@Test func foldsWithinEachGroupStayInIt() throws {
    let place = try stores()
    let whole = try divide(place, "partition: {by: store, min_rows: 9, within: {folds: 3}}").partitions
    #expect(whole.count == 9)
    #expect(whole.map(\.label).prefix(4) == ["a/fold-0", "a/fold-1", "a/fold-2", "b/fold-0"])
    let groups = try divide(place, "partition: {by: store}").partitions
    for (group, name) in zip(groups, ["a", "b", "c"]) {
        let parts = whole.filter { $0.label.hasPrefix("\(name)/") }
        #expect(parts.flatMap { $0.validation?.numbers ?? [] }.sorted() == group.training.numbers)
        for part in parts {
            #expect((part.training.numbers + (part.validation?.numbers ?? [])).sorted() == group.training.numbers)
        }
    }
    #expect(
        try place.message("partition: {by: store, within: {folds: 3}}", data: data)?
            .contains("partition.within.folds: 2 rows of 'e' make no 3 folds") == true)
}

@Test(arguments: ["{by: store, test: 0.25}", "{folds: 3, stratify: store, test: 0.25}", "{bootstrap: 4, test: 0.25}"])
func noTrialSeesTheTestSet(partition: String) throws {
    let place = try stores()
    let division = try divide(place, "partition: \(partition)")
    let test = Set(division.test?.numbers ?? [])
    #expect(test.count == 15)
    for part in division.partitions {
        #expect(test.isDisjoint(with: part.training.numbers))
        #expect(test.isDisjoint(with: part.validation?.numbers ?? []))
    }
    let seen = division.partitions.flatMap { $0.training.numbers + ($0.validation?.numbers ?? []) }
    #expect(Set(seen).union(test).count == 60)
}

@Test func theTestSetMayBeTheLastRowsOrThoseOfAFile() throws {
    let place = try stores()
    let last = try divide(place, "partition: {test: {last: 0.1}}\nfit: {validation: 0.5}")
    #expect(last.test == .range(54..<60))
    #expect(last.partitions[0].training == .range(0..<27))
    #expect(last.partitions[0].validation == .range(27..<54))
    try place.save("test.npy", .int64, [2], [Int64(0), 59])
    let listed = try divide(place, "partition: {count: 2, test: {rows: test.npy}}")
    #expect(listed.partitions.map(\.training.numbers) == [Array(1..<30), Array(30..<59)])
    try place.save("test.npy", .int64, [2], [Int64(0), 60])
    #expect(
        try place.message("partition: {test: {rows: test.npy}}", data: data)?
            .hasSuffix("partition.test: test.npy lists row 60, but the rows are numbered 0 to 59") == true)
}

@Test func filesMayListTheRows() throws {
    let place = try stores()
    try place.save("train-b.npy", .int64, [3], [Int64(5), 4, 4])
    try place.save("train-a.npy", .int32, [1], [Int32(59)])
    try place.save("valid-a.npy", .uint8, [1], [UInt8(7)])
    try place.save("valid-b.npy", .uint8, [1], [UInt8(8)])
    let parts = try divide(place, "partition: {rows: train-*.npy, validation: valid-*.npy}").partitions
    #expect(parts.map(\.label) == ["train-a", "train-b"])
    #expect(parts.map(\.training.numbers) == [[59], [5, 4, 4]])
    #expect(parts.map { $0.validation?.numbers } == [[7], [8]])
    #expect(
        try place.message("partition: {rows: train-*.npy, validation: valid-a.npy}", data: data)?
            .contains("there are 1 files of rows to validate on and 2 to train on") == true)
    try place.save("train-a.npy", .float32, [1], [Float(59)])
    #expect(
        try place.message("partition: {rows: train-*.npy}", data: data)?
            .contains("train-a.npy is (1,) of float32, not a list of row numbers") == true)
}
