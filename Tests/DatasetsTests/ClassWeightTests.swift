import Datasets
import Experiments
import Files
import SystemPackage
import TensorFiles
import Testing

/// The weights of the training rows where classes weigh as `fit` says.
private func weights(_ place: Workplace, _ fit: String, data: String = "{x: x.npy, y: y.npy}") throws -> [Float] {
    let dataset = try place.open("fit: \(fit)", data: data)
    let classWeight = try #require(dataset.experiment.fit.classWeight)
    let source = dataset.source(0, weights: .classes(classWeight))
    #expect(source.arrays.map(\.role) == [.x, .y, .sampleWeight])
    return try elements(source.arrays[2], Float.self)
}

@Test("Class numbers of any type weigh their rows, rounded as NumPy rounds; other classes weigh one")
func classNumbers() throws {
    let place = try Workplace()
    try place.floats("x.npy", rows: 6)
    let fit = "{class_weight: {0: 2, 2: 0.5, 255: 9}}"
    try place.save("y.npy", .int64, [6], [Int64(0), 1, 2, 3, -1, 255])
    #expect(try weights(place, fit) == [2, 1, 0.5, 1, 1, 9])
    try place.save("y.npy", .uint8, [6, 1], [UInt8(0), 1, 2, 3, 0, 255])
    #expect(try weights(place, fit) == [2, 1, 0.5, 1, 2, 9])
    try place.save("y.npy", .float32, [6], [Float(0.5), 1.5, 2.5, -0.4, 1e30, 254.6])
    #expect(try weights(place, fit) == [2, 0.5, 0.5, 2, 1, 9])
    try place.save("y.npy", .bool, [6], [UInt8(0), 1, 1, 0, 1, 0])
    #expect(try weights(place, "{class_weight: {1: 3}}") == [1, 3, 3, 1, 3, 1])
}

@Test("Of one number a class the first of the greatest is the class")
func oneHot() throws {
    let place = try Workplace()
    try place.floats("x.npy", rows: 4)
    try place.save("y.npy", .float32, [4, 3], [Float(0), 1, 0, 0.5, 0.2, 0.5, 0, 0, 0, -1, -2, -0.5])
    #expect(try weights(place, "{class_weight: {0: 2, 1: 3, 2: 4}}") == [3, 2, 2, 4])
}

@Test("Each set of class weights is one file that all trials map; validation and other trials have weights of one")
func oneFileASet() throws {
    let place = try Workplace()
    try place.floats("x.npy", rows: 4)
    try place.save("y.npy", .int32, [4], [Int32(0), 1, 0, 1])
    let text = "fit: {validation: {x: x.npy, y: y.npy}}\ntrials: {class_weight: [null, {0: 2}, {1: 3}]}"
    let dataset = try place.open(text, data: "{x: x.npy, y: y.npy}")
    #expect(dataset.sources.count == 2)
    for source in dataset.sources { #expect(try elements(source.arrays[2], Float.self) == [1, 1, 1, 1]) }
    #expect(dataset.source(0, weights: nil) == dataset.sources[0])
    #expect(try elements(dataset.source(0, weights: .classes([0: 2])).arrays[2], Float.self) == [2, 1, 2, 1])
    #expect(try elements(dataset.source(0, weights: .classes([1: 3])).arrays[2], Float.self) == [1, 3, 1, 3])
    #expect(try Folder.list(place.cache.appending("class-weights")).count == 2)
    _ = try place.open(text, data: "{x: x.npy, y: y.npy}")
    #expect(try Folder.list(place.cache.appending("class-weights")).count == 2)
    try place.save("y.npy", .int32, [4], [Int32(0), 0, 0, 1])
    let changed = try place.open(text, data: "{x: x.npy, y: y.npy}")
    #expect(try elements(changed.source(0, weights: .classes([0: 2])).arrays[2], Float.self) == [2, 2, 2, 1])
}

@Test("Validation rows may have weights although those that are trained on have none")
func weightsOfValidationAlone() throws {
    let place = try Workplace()
    try place.floats("x.npy", rows: 3)
    try place.floats("y.npy", rows: 3, columns: 1)
    try place.save("w.npy", .float32, [3], [Float(0.5), 2, 0])
    let dataset = try place.open(
        "fit: {validation_data: {x: x.npy, y: y.npy, sample_weight: w.npy}}", data: "{x: x.npy, y: y.npy}")
    #expect(try elements(dataset.sources[0].arrays[2], Float.self) == [1, 1, 1])
    #expect(try elements(dataset.sources[1].arrays[2], Float.self) == [0.5, 2, 0])
}

@Test("Targets that hold no classes are refused where the file gives their weights")
func noClasses() throws {
    let place = try Workplace()
    try place.floats("x.npy", rows: 2)
    try place.save("y.npy", .float32, [2, 2, 2], [Float](repeating: 0, count: 8))
    #expect(
        try place.message("fit: {class_weight: {0: 2}}", data: "{x: x.npy, y: y.npy}")
            == "e.yaml:3:7: fit.class_weight: a row of y.npy is (2, 2): neither a class number nor one number a class")
}

@Test("Trials may set different shares aside; each share is cut from the same partition")
func sharesOfTrials() throws {
    let place = try Workplace()
    try place.floats("x.npy", rows: 10)
    let dataset = try place.open("partition: {count: 2}\ntrials: {validation_split: [0.2, 0.4]}")
    #expect(try dataset.partitions(devices: 1).allSatisfy { $0.validation == nil })
    let split = try dataset.partitions(devices: 1, validation: .share(0.4))
    #expect(split.map(\.training) == [.range(0..<3), .range(5..<8)])
    #expect(split.map(\.validation) == [.range(3..<5), .range(8..<10)])
    #expect(split[1].validation?.prefix(1) == .range(8..<9))
    #expect(split[1].validation?.prefix(9) == .range(8..<10))
}

@Test("Trials may choose the column that weighs their rows, or none; so are the rows that a share of them sets aside")
func columnsOfWeights() throws {
    let place = try Workplace()
    try place.floats("x.npy", rows: 3)
    try place.save("v.npy", .float64, [3], [0.5, 2, 0])
    try place.save("w.npy", .float32, [3], [Float(1), 2, 3])
    let data = "{x: x.npy, v: v.npy, w: w.npy}"
    let rest = "fit: {validation: 0.4, sample_weight: v}\ntrials: {sample_weight: [null, v, w]}"
    let dataset = try place.open(rest, data: data)
    let weights: [FitOptions.RowWeights?] = [nil, .column("v"), .column("w")]
    #expect(
        try weights.map { try elements(dataset.source(0, weights: $0).arrays[1], Float.self) }
            == [[1, 1, 1], [0.5, 2, 0], [1, 2, 3]])
    // Where trials do not choose, the column is a part of the data.
    let plain = try place.open("fit: {sample_weight: v}", data: data)
    #expect(try elements(plain.source(0, weights: .column("v")).arrays[1], Float.self) == [0.5, 2, 0])
    try place.save("w.npy", .float32, [2], [Float(1), 2])
    #expect(
        try place.message(rest, data: data)
            == "e.yaml:4:10: trials.sample_weight: w.npy has the shape (2,), which is not that of weights of the 3 rows of x.npy"
    )
}
