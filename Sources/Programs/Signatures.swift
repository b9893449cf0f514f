import Bundles
import PJRT

extension ProgramDescription {
    /// What a function takes and gives, by the table in `docs/Contracts.md`, section 2.
    func signature(of name: FunctionName, _ function: Function) throws(ProgramError) -> Signature {
        let lanes = function.lanes
        let batch = [lanes, function.steps ?? 1, function.rows ?? 1]
        let leaves = try leafTypes(lanes: lanes)
        let inputTypes = try types(inputs.map { ($0.dtype, batch + $0.shape) })
        let rowCounts = function.isMasked ? [TensorType(.int32, [lanes, function.steps ?? 1])] : []
        let control = rowCounts + [TensorType(.int32, [lanes]), TensorType(.int32)]
        func logs(_ names: [String]) -> TensorType { TensorType(.float32, [lanes, names.count]) }
        switch name {
        case .initialize:
            return Signature(arguments: [TensorType(.uint32, [lanes, max(draws, 1)])], results: leaves)
        case .train:
            return Signature(arguments: leaves + inputTypes + control, results: leaves + [logs(self.logs)])
        case .evaluate:
            return Signature(arguments: leaves + inputTypes + control, results: leaves + [logs(evaluateLogs)])
        case .predict:
            let x = try types(inputs.filter { $0.role == .x }.map { ($0.dtype, batch + $0.shape) })
            return Signature(arguments: leaves + x, results: try types(outputs.map { ($0.dtype, batch + $0.shape) }))
        case .finalize:
            return Signature(arguments: leaves, results: leaves)
        }
    }

    /// The types of the state's leaves on the device.
    func leafTypes(lanes: Int) throws(ProgramError) -> [TensorType] {
        try types(state.map { ($0.dtype, [lanes] + $0.shape) })
    }

    private func types(_ tensors: [(dtype: String, shape: [Int])]) throws(ProgramError) -> [TensorType] {
        var types: [TensorType] = []
        for (dtype, shape) in tensors {
            guard let type = ElementType(rawValue: dtype) else {
                throw ProgramError(.unreadable, "\(name) holds a tensor of the unknown element type \(dtype)")
            }
            types.append(TensorType(type, shape))
        }
        return types
    }
}
