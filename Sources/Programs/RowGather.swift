import PJRT

/// StableHLO that takes rows of arrays by their numbers: it depends on the shapes alone, and needs no Python to be written.
enum RowGather {
    /// What is gathered: rows of arrays [N, …] for K lanes, S steps and R rows a step.
    struct Shape {
        var arrays: [TensorType]
        var lanes: Int
        var steps: Int
        var rows: Int

        /// The module's name among a program's functions.
        var name: String {
            let counts = Set(arrays.map { String($0.shape.first ?? 0) }).sorted().joined(separator: ",")
            return "gather-\(lanes)x\(steps)x\(rows)-of-\(counts)"
        }

        var numbers: TensorType { TensorType(.int32, [lanes, steps, rows]) }

        /// An array's rows in their places, [K, S, R, …].
        func gathered(_ array: TensorType) -> TensorType {
            TensorType(array.elementType, [lanes, steps, rows] + array.shape.dropFirst())
        }

        var signature: Signature { Signature(arguments: arrays + [numbers], results: arrays.map(gathered)) }
    }

    /// A module that takes arrays [N, …] and row numbers i32[K, S, R], and gives those rows of each array, [K, S, R, …].
    static func module(_ shape: Shape) -> String {
        let results = shape.arrays.map(shape.gathered)
        let arguments =
            shape.arrays.enumerated().map { "%a\($0): \($1.mlirName)" } + ["%rows: \(shape.numbers.mlirName)"]
        var body = ""
        for (index, array) in shape.arrays.enumerated() {
            let rest = array.shape.dropFirst()
            let offsets = rest.indices.map { String($0 - rest.startIndex + 3) }.joined(separator: ", ")
            let sizes = (["1"] + rest.map(String.init)).joined(separator: ", ")
            body += """
                    %r\(index) = "stablehlo.gather"(%a\(index), %rows) <{dimension_numbers = #stablehlo.gather<\
                offset_dims = [\(offsets)], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 3>, \
                indices_are_sorted = false, slice_sizes = array<i64: \(sizes)>}> : \
                (\(array.mlirName), \(shape.numbers.mlirName)) -> \(results[index].mlirName)

                """
        }
        let values = shape.arrays.indices.map { "%r\($0)" }.joined(separator: ", ")
        let types = results.map(\.mlirName).joined(separator: ", ")
        return """
            module @gather {
              func.func public @main(\(arguments.joined(separator: ", "))) -> (\(types)) {
            \(body)    return \(values) : \(types)
              }
            }
            """
    }
}
