import SystemPackage

/// Reads the central directory at the end of a zip archive.
struct ZipDirectory {
    private let bytes: UnsafeRawBufferPointer
    private let path: FilePath
    private let count: Int
    private let range: Range<Int>

    init(_ bytes: UnsafeRawBufferPointer, _ path: FilePath) throws(TensorFilesError) {
        self.bytes = bytes
        self.path = path
        guard let end = Self.endRecord(bytes) else {
            throw TensorFilesError(.notThisFormat, path, "this is not a whole zip archive; fetch or write it again")
        }
        let malformed = TensorFilesError(.malformed, path, "the zip archive's end record is malformed")
        guard let disk = bytes.little(UInt16.self, at: end + 4), let first = bytes.little(UInt16.self, at: end + 6),
            let here = bytes.little(UInt16.self, at: end + 8), let all = bytes.little(UInt16.self, at: end + 10),
            let size = bytes.little(UInt32.self, at: end + 12), let offset = bytes.little(UInt32.self, at: end + 16)
        else { throw malformed }
        var entries = UInt64(all)
        var place = (offset: UInt64(offset), size: UInt64(size))
        var limit = end
        if all == .max || size == .max || offset == .max,
            let locator = bytes.part(end - 20, 20), locator.little(UInt32.self, at: 0) == 0x0706_4b50
        {
            guard let start = locator.little(UInt64.self, at: 8).flatMap({ Int(exactly: $0) }),
                let record = bytes.part(start, 56), start + 56 <= end - 20,
                record.little(UInt32.self, at: 0) == 0x0606_4b50,
                record.little(UInt32.self, at: 16) == 0, record.little(UInt32.self, at: 20) == 0,
                let total = record.little(UInt64.self, at: 32), record.little(UInt64.self, at: 24) == total,
                let long = record.little(UInt64.self, at: 40), let far = record.little(UInt64.self, at: 48)
            else { throw malformed }
            entries = total
            place = (far, long)
            limit = start
        } else {
            guard disk == 0, first == 0, here == all else {
                throw TensorFilesError(.unsupported, path, "zip archives in several parts are not supported")
            }
        }
        guard let start = Int(exactly: place.offset), let length = Int(exactly: place.size),
            let count = Int(exactly: entries), start <= limit, length == limit - start, count <= length / 46
        else { throw malformed }
        self.count = count
        range = start..<limit
    }

    /// The end record is the last thing in the archive but for a comment of up to 65,535 bytes.
    private static func endRecord(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var position = bytes.count - 22
        let lowest = max(0, position - 0xffff)
        while position >= lowest {
            if bytes.little(UInt32.self, at: position) == 0x0605_4b50,
                let comment = bytes.little(UInt16.self, at: position + 20),
                position + 22 + Int(comment) == bytes.count
            {
                return position
            }
            position -= 1
        }
        return nil
    }

    func members() throws(TensorFilesError) -> [ZipArchive.Member] {
        var found: [(member: ZipArchive.Member, header: Int)] = []
        found.reserveCapacity(count)
        var names: Set<String> = []
        var position = range.lowerBound
        for _ in 0..<count {
            let entry = try Entry(bytes, at: position, path)
            position = entry.end
            guard position <= range.upperBound else {
                throw TensorFilesError(.malformed, path, "the zip archive's directory runs over its end")
            }
            let name = String(decoding: entry.name, as: UTF8.self)
            guard Self.isHarmless(name) else {
                throw TensorFilesError(.malformed, path, "a member is named \"\(shown(name))\", which is unsafe")
            }
            guard names.insert(name).inserted else {
                throw TensorFilesError(.malformed, path, "two members are named \"\(shown(name))\"")
            }
            found.append((try member(entry, name), entry.header))
        }
        guard position == range.upperBound else {
            throw TensorFilesError(.malformed, path, "the zip archive's directory is longer than its entries")
        }
        var end = 0
        for (member, header) in found.sorted(by: { $0.header < $1.header }) {
            guard header >= end else {
                throw TensorFilesError(.malformed, path, "the member \"\(shown(member.name))\" overlaps another")
            }
            end = member.data.upperBound
        }
        return found.map(\.member)
    }

    private func member(_ entry: Entry, _ name: String) throws(TensorFilesError) -> ZipArchive.Member {
        let label = "the member \"\(shown(name))\""
        guard entry.flags & 0x2041 == 0 else {
            throw TensorFilesError(.unsupported, path, "\(label) is encrypted")
        }
        guard !entry.isLink else {
            throw TensorFilesError(.malformed, path, "\(label) is a link, which is unsafe")
        }
        let method: ZipArchive.Method
        switch entry.method {
        case 0: method = .stored
        case 8: method = .deflated
        default:
            throw TensorFilesError(
                .unsupported, path, "\(label) is compressed in a way that is not supported (method \(entry.method))")
        }
        guard let header = bytes.part(entry.header, 30), header.little(UInt32.self, at: 0) == 0x0403_4b50,
            let nameLength = header.little(UInt16.self, at: 26), let extraLength = header.little(UInt16.self, at: 28),
            header.little(UInt16.self, at: 8) == entry.method,
            let localName = bytes.part(entry.header + 30, Int(nameLength)), localName.elementsEqual(entry.name)
        else { throw TensorFilesError(.malformed, path, "\(label) disagrees with the zip archive's directory") }
        let start = entry.header + 30 + Int(nameLength) + Int(extraLength)
        // The data and what comes before it stands in front of the directory.
        guard start <= range.lowerBound, entry.compressedSize <= range.lowerBound - start else {
            throw TensorFilesError(.truncated, path, "\(label) does not fit into the zip archive")
        }
        let plausible =
            method == .stored
            ? entry.size == entry.compressedSize
            : Inflation.isPossible(size: entry.size, from: entry.compressedSize)
        guard plausible else {
            throw TensorFilesError(.malformed, path, "\(label) declares a size that it cannot have")
        }
        return ZipArchive.Member(
            name: name, method: method, checksum: entry.checksum, data: start..<start + entry.compressedSize,
            size: entry.size)
    }

    /// Whether a name would stay inside a folder if someone did use it as a path.
    private static func isHarmless(_ name: String) -> Bool {
        guard !name.isEmpty, !name.hasPrefix("/"), !name.contains("\\") else { return false }
        guard !name.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) else { return false }
        return !name.split(separator: "/").contains("..")
    }
}

/// One entry of the central directory, its zip64 field applied.
private struct Entry {
    let flags: UInt16
    let method: UInt16
    let checksum: UInt32
    let compressedSize: Int
    let size: Int
    let header: Int
    /// Whether it stands for another file: a symbolic link, as Unix writes its kind into the external attributes.
    let isLink: Bool
    let name: UnsafeRawBufferPointer
    let end: Int

    init(_ bytes: UnsafeRawBufferPointer, at position: Int, _ path: FilePath) throws(TensorFilesError) {
        let malformed = TensorFilesError(.malformed, path, "an entry of the zip archive's directory is malformed")
        guard let fixed = bytes.part(position, 46), fixed.little(UInt32.self, at: 0) == 0x0201_4b50,
            let flags = fixed.little(UInt16.self, at: 8), let method = fixed.little(UInt16.self, at: 10),
            let checksum = fixed.little(UInt32.self, at: 16), let shortData = fixed.little(UInt32.self, at: 20),
            let shortSize = fixed.little(UInt32.self, at: 24), let nameLength = fixed.little(UInt16.self, at: 28),
            let extraLength = fixed.little(UInt16.self, at: 30), let commentLength = fixed.little(UInt16.self, at: 32),
            let attributes = fixed.little(UInt32.self, at: 38), let shortHeader = fixed.little(UInt32.self, at: 42),
            let name = bytes.part(position + 46, Int(nameLength)),
            let extra = bytes.part(position + 46 + Int(nameLength), Int(extraLength))
        else { throw malformed }
        var fields = Zip64Fields(extra)
        // The order is fixed, and only what did not fit is there.
        guard let size = fields.next(shortSize), let data = fields.next(shortData),
            let header = fields.next(shortHeader)
        else { throw malformed }
        self.flags = flags
        self.method = method
        self.checksum = checksum
        compressedSize = data
        self.size = size
        self.header = header
        isLink = attributes >> 28 == 0xA
        self.name = name
        end = position + 46 + Int(nameLength) + Int(extraLength) + Int(commentLength)
    }
}

/// The 64-bit numbers of a zip64 extra field, in order.
private struct Zip64Fields {
    private var rest: UnsafeRawBufferPointer?

    init(_ extra: UnsafeRawBufferPointer) {
        var position = 0
        while let tag = extra.little(UInt16.self, at: position), let size = extra.little(UInt16.self, at: position + 2)
        {
            if tag == 1 {
                rest = extra.part(position + 4, Int(size))
                return
            }
            position += 4 + Int(size)
        }
    }

    /// `short`, or the next number if `short` says that it stands here.
    mutating func next(_ short: UInt32) -> Int? {
        guard short == .max else { return Int(short) }
        guard let fields = rest, let value = fields.little(UInt64.self, at: 0) else { return nil }
        rest = fields.part(8, fields.count - 8)
        return Int(exactly: value)
    }
}
