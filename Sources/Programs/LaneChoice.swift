import PJRT

/// StableHLO that depends on nothing but the state's layout, and therefore needs no Python to be written.
enum LaneChoice {
    /// The module's name among a program's functions.
    static func name(onlyWeights: Bool) -> String { onlyWeights ? "choose-weights" : "choose" }

    /// A module that takes a mask [K] and two states, and gives for each lane the first state where the mask is true and
    /// the second where it is false: exact for every element type.
    ///
    /// - Parameter chosen: for every leaf whether there is a choice; a leaf without one is that of the second state.
    static func module(state: [TensorType], lanes: Int, chosen: [Bool]) -> String {
        let types = state.map(\.mlirName)
        let count = state.count
        var arguments = ["%mask: tensor<\(lanes)xi1>"]
        arguments += types.enumerated().map { "%a\($0): \($1)" }
        arguments += types.enumerated().map { "%b\($0): \($1)" }
        var body = ""
        for (index, leaf) in state.enumerated() where chosen[index] {
            let mask = "tensor<\(leaf.shape.map { "\($0)x" }.joined())i1>"
            body += """
                    %m\(index) = stablehlo.broadcast_in_dim %mask, dims = [0] : (tensor<\(lanes)xi1>) -> \(mask)
                    %r\(index) = stablehlo.select %m\(index), %a\(index), %b\(index) : \(mask), \(leaf.mlirName)

                """
        }
        let results = (0..<count).map { chosen[$0] ? "%r\($0)" : "%b\($0)" }.joined(separator: ", ")
        return """
            module @choose {
              func.func public @main(\(arguments.joined(separator: ", "))) -> (\(types.joined(separator: ", "))) {
            \(body)    return \(results) : \(types.joined(separator: ", "))
              }
            }
            """
    }

    /// What the module takes and gives.
    static func signature(state: [TensorType], lanes: Int) -> Signature {
        Signature(arguments: [TensorType(.bool, [lanes])] + state + state, results: state)
    }
}
