import Datasets
import Experiments
import Files
import Glibc
import SystemPackage
import TensorFiles
import Testing

@Test func anArrayOfARightTypeIsMappedWhereItStands() throws {
    let place = try Workplace()
    try place.floats("x.npy", rows: 6)
    try place.save("y.npy", .uint8, [6], [UInt8](0..<6))
    let dataset = try place.open(data: "{x: x.npy, y: y.npy}")
    #expect(dataset.inputs.map(\.name) == ["x", "y"])
    #expect(dataset.inputs.map(\.dtype) == [.float32, .uint8])
    #expect(dataset.inputs.map(\.shape) == [[6, 2], [6]])
    #expect(dataset.inputs.allSatisfy { !$0.isPrepared && $0.file.isAbsolute })
    #expect(dataset.inputs[0].file.lastComponent == "x.npy")
    #expect(try elements(dataset.inputs[0], Float.self) == (0..<12).map { Float($0) })
    #expect(dataset.inputs[0].fileSize == 128 + 48)
}

@Test func valuesAreCastOnceAsKerasCastsThem() throws {
    let place = try Workplace()
    try place.save("x.npy", .float64, [3, 1], [0.1, 2.5, 1e300])
    try place.save("half.npy", .float16, [3], [Float16(0.5), 1, 2].map(\.bitPattern))
    try place.save("y.npy", .int64, [3], [Int64(-1), 2, 3])
    try place.save("w.npy", .int32, [3], [Int32(1), 0, 2])
    let data = "{x: {a: x.npy, b: half.npy}, y: y.npy, sample_weight: w.npy}"
    let dataset = try place.open(data: data)
    #expect(dataset.inputs.map(\.dtype) == [.float32, .float32, .int32, .float32])
    #expect(dataset.inputs.map(\.role) == [.x, .x, .y, .sampleWeight])
    #expect(try elements(dataset.inputs[0], Float.self) == [0.1, 2.5, .infinity])
    #expect(try elements(dataset.inputs[1], Float.self) == [0.5, 1, 2])
    #expect(try elements(dataset.inputs[2], Int32.self) == [-1, 2, 3])
    #expect(try elements(dataset.inputs[3], Float.self) == [1, 0, 2])
    let again = try place.open(data: data)
    #expect(again.sources == dataset.sources)
    #expect(try Folder.list(place.cache.appending("arrays")).count == 4)
    // A file that was replaced is prepared anew.
    try place.save("y.npy", .int64, [3], [Int64(7), 8, 9])
    #expect(try elements(place.open(data: data).inputs[2], Int32.self) == [7, 8, 9])
}

@Test func wholeNumbersThatWouldChangeAreRefused() throws {
    let place = try Workplace()
    try place.save("x.npy", .int64, [3, 2], [Int64(1), 2, 3, 3_000_000_000, 5, 6])
    #expect(
        try place.message()
            == "e.yaml:2:11: data.x: row 1 of x.npy holds 3000000000, which int32 cannot, the type that Keras on JAX makes of int64: convert the array"
    )
}

@Test func aMissingFileIsNamed() throws {
    let place = try Workplace()
    try place.floats("x.npy", rows: 3)
    let message = try #require(try place.message(data: "{x: x.npy, y: gone.npy}"))
    #expect(message.hasPrefix("e.yaml:2:21: data.y: there is no file "))
    #expect(message.hasSuffix("/gone.npy"))
    #expect(try place.message("partition: {by: file}", data: "{x: no-*.npy}")?.contains("no file in ") == true)
}

@Test func shapesThatDisagreeAreShown() throws {
    let place = try Workplace()
    try place.floats("x.npy", rows: 5)
    try place.save("y.npy", .float32, [4], [Float](repeating: 0, count: 4))
    #expect(
        try place.message(data: "{x: x.npy, y: y.npy}")
            == "e.yaml:2:21: data.y: y.npy has the shape (4,), but x.npy has (5, 2): the numbers of rows differ")
}

@Test func theFirstNaNIsFoundAndACleanArrayIsReadOnce() throws {
    let place = try Workplace()
    var values = [Float](repeating: 1, count: 20_000)
    values[19_001] = .nan
    try place.save("x.npy", .float32, [10_000, 2], values)
    #expect(
        try place.message()
            == "e.yaml:2:11: data.x: row 9500 of x.npy holds NaN, the first of the array: remove or replace missing values"
    )
    values[19_001] = .infinity
    try place.save("x.npy", .float32, [10_000, 2], values)
    _ = try place.open()
    #expect(try Folder.list(place.cache.appending("checks")).count == 1)
    _ = try place.open()
    #expect(try Folder.list(place.cache.appending("checks")).count == 1)
}

@Test func filesThatAreNoArraysAreRefused() throws {
    let place = try Workplace()
    try AtomicFile.write(Array("x,y\n1,2\n".utf8), to: place.folder.appending("x.npy"))
    #expect(try place.message()?.hasPrefix("e.yaml:2:11: data.x: ") == true)
    try place.save("x.npy", .float32, [0, 3], [Float]())
    #expect(try place.message() == "e.yaml:2:11: data.x: x.npy is empty: its shape is (0, 3)")
    try place.save("x.npy", .float32, [], [Float(1)])
    #expect(try place.message() == "e.yaml:2:11: data.x: x.npy holds a single number, not rows")
}

@Test func oneFileATrialGivesOneSourceEach() throws {
    let place = try Workplace()
    for (name, rows) in [("b", 4), ("a", 3)] {
        try place.floats("parts/x-\(name).npy", rows: rows)
        try place.floats("parts/y-\(name).npy", rows: rows, columns: 1)
    }
    let data = "{x: parts/x-*.npy, y: [parts/y-a.npy, parts/y-b.npy]}"
    let dataset = try place.open("partition: {by: file}\nfit: {validation: 0.3}", data: data)
    #expect(dataset.sources.map(\.label) == ["x-a", "x-b"])
    #expect(dataset.sources.map(\.rows) == [3, 4])
    let partitions = try dataset.partitions(devices: 1)
    #expect(partitions.map(\.source) == [0, 1])
    #expect(partitions.map(\.training) == [.range(0..<2), .range(0..<2)])
    #expect(partitions.map(\.validation) == [.range(2..<3), .range(2..<4)])
    #expect(partitions.map(\.validationSource) == [0, 1])
    try place.floats("parts/x-c.npy", rows: 2)
    #expect(try place.message("partition: {by: file}", data: data)?.contains("'y' has 2 files and 'x' has 3") == true)
    try place.floats("parts/x-b.npy", rows: 4, columns: 3)
    let message = try place.message("partition: {by: file}", data: "{x: parts/x-*.npy}")
    #expect(
        message
            == "e.yaml:2:11: data.x: a row of parts/x-b.npy is (3,) of float32, but one of parts/x-a.npy is (2,) of float32"
    )
}

@Test func validationFilesFollowTheTrainingData() throws {
    let place = try Workplace()
    for name in ["x", "v"] { try place.floats("\(name).npy", rows: name == "x" ? 6 : 2) }
    for (name, rows) in [("y", 6), ("w", 6), ("z", 2)] { try place.floats("\(name).npy", rows: rows, columns: 1) }
    let rest = "partition: {count: 2}\nfit: {validation: {x: v.npy, y: z.npy}, sample_weight: w}"
    let dataset = try place.open(rest, data: "{x: x.npy, y: y.npy, w: w.npy}")
    #expect(dataset.sources.map(\.label) == ["all", "validation"])
    #expect(dataset.sources[1].arrays.map(\.role) == [.x, .y, .sampleWeight])
    #expect(try elements(dataset.sources[1].arrays[2], Float.self) == [1, 1])
    let partitions = try dataset.partitions(devices: 1)
    #expect(partitions.map(\.validation) == [.all(2), .all(2)])
    #expect(partitions.map(\.validationSource) == [1, 1])
}

private let python = getenv("PRONGHORN_TEST_PYTHON").map { String(cString: $0) }

@Test(.enabled(if: python != nil))
func whateverNumPySavesIsReadAsNumPyReadsIt() throws {
    let place = try Workplace()
    let script = """
        import numpy as np
        a = np.arange(12, dtype='f8').reshape(4, 3) / 7
        y = np.array([0, 1, 0, 1])
        s = np.array(['b', 'ä', 'b', 'ä'])
        np.savez('plain.npz', x=a.astype('f4'), y=y, store=s)
        np.savez_compressed('small.npz', x=a, y=y, store=s)
        np.save('fortran.npy', np.asfortranarray(a))
        np.save('big.npy', a.astype('>f4'))
        np.save('bytes.npy', np.array([b'p', b'q', b'p', b'p']))
        np.save('objects.npy', np.array([{}], dtype=object))
        np.savez('objects.npz', x=np.array([{}], dtype=object), y=y)
        np.savez_compressed('packed.npz', x=np.array([{}], dtype=object), y=y)
        np.save('record.npy', np.array([(1, {})], dtype=[('a', 'i4'), ('b', 'O')]))
        """
    try AtomicFile.write(Array(script.utf8), to: place.folder.appending("make.py"))
    #expect(system("cd '\(place.folder)' && '\(python ?? "")' make.py") == 0)
    let expected = (0..<12).map { Float(Double($0) / 7) }
    for data in ["{npz: plain.npz}", "{npz: small.npz}", "{x: small.npz:x}", "{x: fortran.npy}", "{x: big.npy}"] {
        #expect(try elements(place.open(data: data).inputs[0], Float.self) == expected)
    }
    for data in ["{npz: plain.npz}", "{npz: small.npz}", "{x: big.npy, store: small.npz:store}"] {
        let partitions = try place.open("partition: {by: store}", data: data).partitions(devices: 1)
        #expect(partitions.map(\.label) == ["b", "ä"])
        #expect(partitions.map(\.training) == [.indices([0, 2]), .indices([1, 3])])
    }
    let partitions = try place.open("partition: {by: k}", data: "{x: big.npy, k: bytes.npy}").partitions(devices: 1)
    #expect(partitions.map(\.training) == [.indices([0, 2, 3]), .indices([1])])
    // Objects are pickles, which nothing here ever loads, whatever they come in.
    for data in [
        "{x: objects.npy}", "{npz: objects.npz}", "{npz: packed.npz}", "{x: packed.npz:x}",
    ] { #expect(try place.message(data: data)?.contains("Python objects") == true, "\(data)") }
    #expect(try place.message(data: "{x: record.npy}") != nil)
    #expect(try place.message(data: "{npz: plain.npz, x: nothing}")?.contains("nothing") == true)
}
