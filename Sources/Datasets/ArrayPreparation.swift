import Experiments
import Files
import SystemPackage
import TensorFiles

/// Turns what the user has into arrays that can be mapped, copying into the cache only what cannot be used as it is.
struct ArrayPreparation {
    /// Changes whenever prepared arrays would come out differently.
    private static let version = 1

    var experiment: Experiment
    var cache: FilePath

    /// The array at a place, in the type that `role` needs, without NaN but where `fills` will put something.
    func prepare(
        _ location: Location, name: String, role: DatasetArray.Role, fills: [ArraySource.Fill] = []
    ) throws -> DatasetArray {
        do {
            if !fills.isEmpty { return try unfilled(location, name: name, role: role, fills) }
            return try open(location, name: name, role: role)
        } catch let error as TensorFilesError {
            throw experiment.error(at: location.key, error.message)
        } catch let error as FilesError {
            throw experiment.error(at: location.key, error.message)
        }
    }

    /// An array of a table, which is float32 and in the cache, with NaN in the places of `fills` alone.
    private func unfilled(
        _ location: Location, name: String, role: DatasetArray.Role, _ fills: [ArraySource.Fill]
    ) throws -> DatasetArray {
        let array = try ArrayFile(location.path)
        let stamp = try FileStamp(of: location.path)
        let mapped = try MappedArray(location.path)
        let width = mapped.rowBytes / array.dtype.size
        guard array.dtype == .float32, array.isCanonical, fills.allSatisfy({ (0..<width).contains($0.place) }) else {
            throw DatasetsError(code: .cache, message: "\(location.path) is not as its list says")
        }
        let places = (0..<width).filter { place in !fills.contains { $0.place == place } }
        let wrong = mapped.withBytes { bytes in
            (0..<array.shape[0]).first { row in
                places.contains { place in
                    bytes.loadUnaligned(fromByteOffset: row * mapped.rowBytes + place * 4, as: Float.self).isNaN
                }
            }
        }
        if let wrong { throw experiment.error(at: location.key, "row \(wrong) of \(location.text) holds NaN") }
        return DatasetArray(
            name: name, role: role, dtype: array.dtype, rowShape: Array(array.shape.dropFirst()), rows: array.shape[0],
            file: array.path, offset: array.offset, fileSize: Int(stamp.size), modified: stamp.modified,
            origin: location.text, isPrepared: true, fills: fills)
    }

    private func open(_ location: Location, name: String, role: DatasetArray.Role) throws -> DatasetArray {
        let stamp = try FileStamp(of: location.path)
        var found: ArrayFile?
        if let member = location.member {
            let archive = try NPZ(location.path)
            if try archive.isStored(member) { found = try archive.file(member) }
        } else {
            found = try ArrayFile(location.path)
        }
        if let found {
            try checkShape(found.shape, location)
            let dtype = role == .sampleWeight ? .float32 : found.dtype.asKerasCasts
            if dtype == found.dtype, found.isCanonical, found.offset % dtype.size == 0 {
                return try checked(found, stamp, location, name: name, role: role, prepared: false)
            }
        }
        let file = cacheFile("arrays", "npy", location, stamp, [role == .sampleWeight ? "float32" : "keras"])
        if !CachedArray.isWhole(file) {
            try keep { try Folder.create(file.removingLastComponent()) }
            try copy(location, role: role, to: file)
        }
        let copy = try ArrayFile(file)
        try checkShape(copy.shape, location)
        return try checked(copy, FileStamp(of: file), location, name: name, role: role, prepared: true)
    }

    private func checkShape(_ shape: [Int], _ location: Location) throws {
        if shape.isEmpty {
            throw experiment.error(at: location.key, "\(location.text) holds a single number, not rows")
        }
        if shape.contains(0) {
            throw experiment.error(at: location.key, "\(location.text) is empty: its shape is \(shown(shape))")
        }
        if shape[0] > Int(Int32.max) {
            throw experiment.error(
                at: location.key, "\(location.text) has \(shape[0]) rows; at most \(Int32.max) can be numbered")
        }
    }

    private func copy(_ location: Location, role: DatasetArray.Role, to file: FilePath) throws {
        let source =
            if let member = location.member { try NPZ(location.path).array(member) } else {
                try MappedArray(location.path)
            }
        try checkShape(source.shape, location)
        let dtype = role == .sampleWeight ? .float32 : source.dtype.asKerasCasts
        let convert = Cast(from: source.dtype, to: dtype)
        let swapped = source.isCanonical ? nil : source.canonicalBytes()
        func write(_ bytes: UnsafeRawBufferPointer) throws {
            let piece = (1 << 16) * source.dtype.size
            try CachedArray.write(dtype: dtype, shape: source.shape, to: file) { writer in
                for start in stride(from: 0, to: bytes.count, by: piece) {
                    let part = UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + piece, bytes.count)])
                    let cast: [UInt8]
                    do throws(OutOfRange) {
                        cast = try convert(part)
                    } catch {
                        throw RowOutOfRange(
                            row: (start + error.element * source.dtype.size) / source.rowBytes, value: error.value)
                    }
                    try writer.write(cast)
                }
            }
        }
        do {
            if let swapped {
                try swapped.withUnsafeBytes(write)
            } else {
                try source.withBytes { try write($0) }
            }
        } catch {
            if let wrong = (error as? RowOutOfRange) ?? ((error as? TensorFilesError)?.cause as? RowOutOfRange) {
                throw experiment.error(
                    at: location.key,
                    "row \(wrong.row) of \(location.text) holds \(wrong.value), which \(dtype.rawValue) cannot, the type that Keras on JAX makes of \(source.dtype.rawValue): convert the array"
                )
            }
            throw DatasetsError(
                code: .cache, message: "cannot prepare \(location.text) in the cache: \(error)", cause: error)
        }
    }

    private func checked(
        _ array: ArrayFile, _ stamp: FileStamp, _ location: Location, name: String, role: DatasetArray.Role,
        prepared: Bool
    ) throws -> DatasetArray {
        if array.dtype.isFloat { try checkForNaN(array, stamp, location) }
        return DatasetArray(
            name: name, role: role, dtype: array.dtype, rowShape: Array(array.shape.dropFirst()), rows: array.shape[0],
            file: array.path, offset: array.offset, fileSize: Int(stamp.size), modified: stamp.modified,
            origin: location.text, isPrepared: prepared)
    }

    /// Reads the whole array once; that nothing was found is remembered for as long as the file is the same.
    private func checkForNaN(_ array: ArrayFile, _ stamp: FileStamp, _ location: Location) throws {
        var place = location
        place.path = array.path
        let verdict = cacheFile("checks", "ok", place, stamp, ["nan", "\(array.offset)", "\(array.byteCount)"])
        if (try? FileStamp(of: verdict)) != nil { return }
        let mapped = try MappedArray(
            MappedFile(array.path), offset: array.offset, dtype: array.dtype, shape: array.shape)
        if let element = mapped.withBytes({ firstNaN(in: $0, dtype: array.dtype) }) {
            let row = element * array.dtype.size / mapped.rowBytes
            throw experiment.error(
                at: location.key,
                "row \(row) of \(location.text) holds NaN, the first of the array: remove or replace missing values")
        }
        try keep {
            try Folder.create(verdict.removingLastComponent())
            try AtomicFile.write([], to: verdict)
        }
    }

    /// Where in the cache something is kept that is made from one file as it is now.
    func cacheFile(
        _ kind: String, _ ending: String, _ location: Location, _ stamp: FileStamp, _ options: [String]
    ) -> FilePath {
        let parts =
            [
                "\(Self.version)", location.path.string, location.member ?? "", "\(stamp.size)", "\(stamp.modified)",
                "\(stamp.changed)", "\(stamp.inode)",
            ] + options
        let digest = Digest.sha256(parts.joined(separator: "\u{0}"))
        return cache.appending(kind).appending("\(digest).\(ending)")
    }

    private func keep(_ body: () throws -> Void) throws {
        do { try body() } catch {
            throw DatasetsError(
                code: .cache, message: "cannot write to the cache of data at \(cache): \(error)", cause: error)
        }
    }
}

private struct RowOutOfRange: Error {
    var row: Int
    var value: String
}

/// A shape as Python shows it: `(100, 10)`.
func shown(_ shape: [Int]) -> String {
    "(" + shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? ",)" : ")")
}
