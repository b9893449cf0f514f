import Datasets
import Experiments
import Files
import Foundation
import Synchronization
import SystemPackage
import TensorFiles
import Testing

/// An experiment that needs an array of every kind in the cache: put together, cast, class weights, weights of one.
private struct CachedArrays {
    let place: Workplace
    let text = "fit: {validation: {x: [xa.npy, xb.npy], y: y.npy}}\ntrials: {class_weight: [null, {0: 2}]}"
    let data = "{x: [xa.npy, xb.npy], y: y.npy}"

    init() throws {
        place = try Workplace()
        try place.save("xa.npy", .float64, [2, 1], [Double(1), 2])
        try place.save("xb.npy", .float64, [2, 1], [Double(3), 4])
        try place.save("y.npy", .int64, [4], [Int64(0), 1, 0, 1])
    }

    /// All numbers of all arrays.
    func numbers() throws -> [[Float]] {
        let dataset = try place.open(text, data: data)
        var arrays = dataset.sources.flatMap(\.arrays).filter { $0.dtype == .float32 }
        arrays += dataset.source(0, weights: .classes([0: 2])).arrays.suffix(1)
        return try arrays.map { try elements($0, Float.self) }
    }

    /// The files of the cache, each before those that it is made of: one that is made anew has those made anew that are made of it.
    var kept: [FilePath] {
        get throws {
            try ["class-weights", "arrays", "joined"].flatMap { kind in
                let folder = place.cache.appending(kind)
                return try Folder.list(folder).map { folder.appending($0) }
            }
        }
    }
}

@Test("An array of the cache that a loss of power has torn is made again", arguments: [0, 60, 130])
func tornArrays(bytes: Int) throws {
    let arrays = try CachedArrays()
    let numbers = try arrays.numbers()
    let kept = try arrays.kept
    #expect(kept.count == 5)
    for file in kept {
        let size = try FileStamp(of: file).size
        let handle = try FileHandle(forWritingTo: URL(filePath: file.string))
        try handle.truncate(atOffset: UInt64(bytes))
        try handle.close()
        #expect(try arrays.numbers() == numbers)
        #expect(try FileStamp(of: file).size == size)
    }
}

@Test("A filled copy that a loss of power has torn is made again")
func tornCopies() throws {
    let place = try Workplace()
    try place.save("made/x.npy", .float32, [4, 1], [1, Float.nan, 3, 5])
    let list = """
        {"arrays": [{"name": "x", "role": "x", "file": "x.npy", "fills": [{"place": 0, "rule": "mean", "column": "a"}]}],
         "rows": {"read": 4, "dropped": 0}, "sources": []}
        """
    try AtomicFile.write(Array(list.utf8), to: place.folder.appending("made/data.json"))
    let experiment = try place.experiment("", data: "{table: t.csv, missing: mean}")
        .resolving(["data": PreparedData(place.folder.appending("made"))])
    func filled() throws -> DatasetArray {
        var dataset = try Dataset.open(experiment, relativeTo: place.folder, cache: place.cache)
        var partitions = try dataset.partitions(devices: 1)
        try dataset.fill(&partitions)
        return dataset.sources[partitions[0].source].arrays[0]
    }
    let array = try filled()
    #expect(try elements(array, Float.self) == [1, 3, 3, 5])
    let handle = try FileHandle(forWritingTo: URL(filePath: array.file.string))
    try handle.truncate(atOffset: 132)
    try handle.close()
    #expect(try elements(filled(), Float.self) == [1, 3, 3, 5])
}

@Test("An array of the cache is on the disk before it gets its name")
func syncedArrays() throws {
    let arrays = try CachedArrays()
    let passed = Mutex<[WriteBoundary]>([])
    try WriteBoundary.$observer.withValue({ boundary in passed.withLock { $0.append(boundary) } }) {
        _ = try arrays.numbers()
    }
    let kept = try Set(arrays.kept).count
    let steps = passed.withLock { $0 }.filter { $0 == .afterFileSync || $0 == .beforeReplacing }
    // What else is written are the empty files that say that an array holds no NaN.
    let synced = zip(steps, steps.dropFirst()).filter { $0 == .afterFileSync && $1 == .beforeReplacing }.count
    #expect(synced == kept)
}
