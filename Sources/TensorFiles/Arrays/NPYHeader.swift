import SystemPackage

/// What the header of an NPY file says (NumPy Enhancement Proposal 1, versions 1 to 3 of the format).
struct NPYHeader: Equatable {
    /// NumPy's own limit on dimensions (`NPY_MAXDIMS`).
    static let maximumRank = 64
    /// A header of the element types accepted here takes some 2 KiB at most.
    private static let maximumLength = 1 << 16
    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    var dtype: DType
    var byteOrder: ByteOrder
    var fortranOrder: Bool
    var shape: [Int]
    /// Bytes before the first element.
    var length: Int
    /// Bytes of the elements.
    var byteCount: Int

    /// Reads the header that `bytes` begin with, and checks that they hold all that it declares.
    ///
    /// `source` names the array in messages.
    init(_ bytes: UnsafeRawBufferPointer, source: String) throws(TensorFilesError) {
        func fail(_ code: TensorFilesError.Code, _ message: String) -> TensorFilesError {
            TensorFilesError(code: code, message: "\(source): \(message)")
        }
        guard let magic = bytes.part(0, 6), magic.elementsEqual(Self.magic) else {
            throw fail(.notThisFormat, "this is not an NPY file; write it with numpy.save")
        }
        guard let major = bytes.little(UInt8.self, at: 6) else {
            throw fail(.truncated, "the file ends inside the NPY header")
        }
        let declared: Int?
        let start: Int
        switch major {
        case 1: (declared, start) = (bytes.little(UInt16.self, at: 8).map { Int($0) }, 10)
        case 2, 3: (declared, start) = (bytes.little(UInt32.self, at: 8).map { Int($0) }, 12)
        default: throw fail(.unsupported, "version \(major) of the NPY format is not known here (1 to 3 are)")
        }
        guard let declared else { throw fail(.truncated, "the file ends inside the NPY header") }
        guard declared <= Self.maximumLength else {
            throw fail(.unsupported, "the NPY header is \(declared) bytes long, more than an array of numbers needs")
        }
        guard let text = bytes.part(start, declared) else {
            throw fail(.truncated, "the file ends inside the NPY header")
        }
        var scanner = LiteralScanner(text)
        let fields: LiteralScanner.Fields
        do {
            fields = try scanner.header()
        } catch {
            throw fail(.malformed, "the NPY header is malformed at byte \(start + error.position): \(error.message)")
        }
        do {
            (dtype, byteOrder) = try Self.elementType(fields.descr)
        } catch {
            throw fail(error.code, error.message)
        }
        guard fields.shape.count <= Self.maximumRank else {
            throw fail(.unsupported, "the array has \(fields.shape.count) dimensions, more than \(Self.maximumRank)")
        }
        guard let count = dtype.byteCount(of: fields.shape) else {
            throw fail(.malformed, "the shape \(fields.shape) is larger than any memory")
        }
        guard bytes.part(start + declared, count) != nil else {
            throw fail(
                .truncated,
                "the array \(fields.shape) of \(dtype.rawValue) takes \(count) bytes, "
                    + "but only \(bytes.count - start - declared) are there")
        }
        fortranOrder = fields.fortranOrder
        shape = fields.shape
        length = start + declared
        byteCount = count
    }

    /// NumPy's type string (`<f4`) as an element type, or why not.
    private static func elementType(_ descr: LiteralScanner.Descr) throws(TensorFilesError) -> (DType, ByteOrder) {
        guard case .text(let text) = descr else {
            throw TensorFilesError(
                code: .unsupported, message: "structured arrays are not supported; save each field as an array")
        }
        let scalars = Array(text.utf8)
        guard scalars.count >= 2, Array("<>=|".utf8).contains(scalars[0]) else {
            throw TensorFilesError(code: .malformed, message: "\"\(shown(text))\" is no element type of NumPy's")
        }
        let order: ByteOrder = scalars[0] == UInt8(ascii: ">") ? .big : .little
        let kind = String(decoding: scalars.dropFirst(), as: UTF8.self)
        if let dtype = DType(npyKind: kind), dtype != .bfloat16 || scalars[0] != UInt8(ascii: "|") {
            return (dtype, dtype.size == 1 ? .little : order)
        }
        switch kind.utf8.first {
        case UInt8(ascii: "O"):
            throw TensorFilesError(
                code: .unsupported,
                message: "the array holds Python objects (a pickle), which are never loaded; save numbers instead")
        case UInt8(ascii: "U"), UInt8(ascii: "S"), UInt8(ascii: "a"):
            throw TensorFilesError(
                code: .unsupported, message: "the array holds text (\(shown(text))); encode it as numbers first")
        case UInt8(ascii: "M"), UInt8(ascii: "m"):
            throw TensorFilesError(
                code: .unsupported, message: "the array holds times (\(shown(text))); convert them to numbers first")
        case UInt8(ascii: "c"), UInt8(ascii: "V"), UInt8(ascii: "f"), UInt8(ascii: "i"), UInt8(ascii: "u"):
            throw TensorFilesError(
                code: .unsupported, message: "elements of type \(shown(text)) are not supported; convert the array")
        default:
            throw TensorFilesError(code: .malformed, message: "\"\(shown(text))\" is no element type of NumPy's")
        }
    }
}

extension DType {
    /// The element type of NumPy's kind and size (`f4`); `V2` with a byte order is how `ml_dtypes` names bfloat16.
    init?(npyKind: String) {
        guard let found = DType.allCases.first(where: { $0.npyKind == npyKind }) else { return nil }
        self = found
    }

    var npyKind: String {
        switch self {
        case .bool: "b1"
        case .int8: "i1"
        case .int16: "i2"
        case .int32: "i4"
        case .int64: "i8"
        case .uint8: "u1"
        case .uint16: "u2"
        case .uint32: "u4"
        case .uint64: "u8"
        case .float16: "f2"
        case .bfloat16: "V2"
        case .float32: "f4"
        case .float64: "f8"
        }
    }
}
