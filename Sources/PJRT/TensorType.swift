/// Element type and shape of a tensor, in row-major order.
public struct TensorType: Sendable, Hashable, CustomStringConvertible {
    /// The type of its elements.
    public var elementType: ElementType
    /// Its dimensions; none for a scalar.
    public var shape: [Int]

    /// Makes a tensor type.
    public init(_ elementType: ElementType, _ shape: [Int] = []) {
        self.elementType = elementType
        self.shape = shape
    }

    /// How many elements such a tensor has.
    public var count: Int { shape.reduce(1, *) }

    /// How many bytes such a tensor has.
    public var byteCount: Int { count * elementType.byteCount }

    /// As in `float32[3, 4]`.
    public var description: String { "\(elementType.rawValue)\(shape)" }

    /// The type's MLIR spelling, as in `tensor<3x4xf32>`.
    public var mlirName: String { "tensor<\(shape.map { "\($0)x" }.joined())\(elementType.mlirName)>" }
}

/// What a program takes and gives, in order.
///
/// A plugin accepts an argument of another element type or shape as long as it has the same number of bytes, and
/// computes nonsense. So the caller states the types, and every call is held to them.
public struct Signature: Sendable, Hashable {
    /// The types of the arguments.
    public var arguments: [TensorType]
    /// The types of the results.
    public var results: [TensorType]

    /// Makes a signature.
    public init(arguments: [TensorType], results: [TensorType]) {
        self.arguments = arguments
        self.results = results
    }
}
