import Bundles
import Files
public import PJRT

/// A program on a device: its functions compiled when first needed, and called with whole cohorts.
///
/// Not thread-safe: a runner has one thread that trains.
public final class LoadedProgram {
    public let bundle: ProgramBundle
    public let lanes: Int
    public let form: String
    /// Called before a function is compiled or loaded, and after.
    public var onCompiling: (String) -> Void = { _ in }
    public var onCompiled: (CompiledFunction) -> Void = { _ in }

    private let client: Client
    private let cache: ExecutableCache
    private let options: CompileOptions
    private var executables: [String: Executable] = [:]

    /// A function that is ready, what it needs, and whether it came from the cache.
    public struct CompiledFunction: Sendable {
        public var file: String
        public var seconds: Double
        public var cached: Bool
        public var memory: ExecutableMemory
    }

    /// A cohort's weights, optimizer slots and metrics on the device: a buffer a leaf, [K, …] each.
    public struct State: ~Copyable {
        public private(set) var leaves: BufferList

        init(leaves: consuming BufferList) {
            self.leaves = leaves
        }

        /// Puts another buffer in a leaf's place.
        mutating func replace(_ leaf: Int, with buffer: consuming Buffer) {
            leaves.replace(at: leaf, with: buffer)
        }

        /// Puts two leaves each in the other's place.
        mutating func exchange(_ first: Int, _ second: Int) {
            leaves.swapAt(first, second)
        }

        /// Gives the buffers to a call, whose results become the state; after an error the state has none.
        mutating func update(_ call: (consuming BufferList) throws(PJRTError) -> BufferList) throws(PJRTError) {
            var given = BufferList(leaves.client)
            swap(&given, &leaves)
            leaves = try call(given)
        }
    }

    public init(
        _ bundle: ProgramBundle, lanes: Int, form: String, client: Client, cache: ExecutableCache,
        options: CompileOptions = CompileOptions()
    ) {
        self.bundle = bundle
        self.lanes = lanes
        self.form = form
        self.client = client
        self.cache = cache
        self.options = options
    }

    /// Draws every lane's state from its seeds, [K][draws].
    public func initialize(seeds: [[UInt32]]) throws(ProgramError) -> State {
        let draws = max(bundle.description.draws, 1)
        var flat = [UInt32](repeating: 0, count: lanes * draws)
        for (lane, seeds) in seeds.enumerated() {
            for (draw, seed) in seeds.prefix(draws).enumerated() { flat[lane * draws + draw] = seed }
        }
        let executable = try executable(.initialize)
        do throws(PJRTError) {
            var arguments = BufferList(client)
            arguments.append(try client.buffer(flat, shape: [lanes, draws]))
            return State(leaves: try executable.execute(arguments))
        } catch {
            throw ProgramError(.plugin, "initialize failed on the device", cause: error)
        }
    }

    /// A state from memory: for every leaf the bytes of all lanes.
    public func state(_ leaves: [UnsafeRawBufferPointer]) throws(ProgramError) -> State {
        let types = try bundle.description.leafTypes(lanes: lanes)
        guard leaves.count == types.count else {
            throw ProgramError(.unreadable, "\(leaves.count) leaves are given for a state of \(types.count)")
        }
        do throws(PJRTError) {
            var list = BufferList(client)
            for (bytes, type) in zip(leaves, types) {
                list.append(try client.buffer(copying: bytes, type: type.elementType, shape: type.shape))
            }
            return State(leaves: list)
        } catch {
            throw ProgramError(.plugin, "a state cannot be brought to the device", cause: error)
        }
    }

    /// Puts every lane's numbers into the leaves that hold them, or what follows from them.
    public func set(_ numbers: [[String: Double]], in state: inout State) throws(ProgramError) {
        for parameter in bundle.description.parameters {
            let values = numbers.compactMap { parameter.value($0) }
            guard let leaf = parameter.leaf, !numbers.isEmpty, values.count == numbers.count else { continue }
            try set(leaf, of: parameter.name, to: values, in: &state)
        }
    }

    /// Puts a number a lane into the leaf of a parameter.
    ///
    /// - Throws: when the program has no such leaf: the number is baked in.
    public func set(_ parameter: String, to values: [Double], in state: inout State) throws(ProgramError) {
        guard let leaf = bundle.description.parameters.first(where: { $0.name == parameter })?.leaf else {
            throw ProgramError(.noSuchFunction, "the program in \(bundle.folder) has no leaf for \(parameter)")
        }
        try set(leaf, of: parameter, to: values, in: &state)
    }

    private func set(
        _ leaf: Int, of parameter: String, to values: [Double], in state: inout State
    ) throws(ProgramError) {
        let type = try bundle.description.leafTypes(lanes: lanes)[leaf]
        var padded: [UInt8] = []
        for lane in 0..<lanes {
            let number = bundle.description.state[leaf].bytes(of: values[min(lane, values.count - 1)])
            guard let number, type.shape == [lanes] else {
                throw ProgramError(.unreadable, "\(parameter) has a leaf of \(bundle.folder) that is no number")
            }
            padded += number
        }
        do throws(PJRTError) {
            let buffer = try padded.span.withUnsafeBytes { (bytes) throws(PJRTError) in
                try client.buffer(copying: bytes, type: type.elementType, shape: type.shape)
            }
            state.replace(leaf, with: buffer)
        } catch {
            throw ProgramError(.plugin, "\(parameter) cannot be brought to the device", cause: error)
        }
    }

    /// Runs steps of training or evaluation.
    ///
    /// - Parameters:
    ///   - inputs: one buffer an input of the program, [K, steps, rows, …].
    ///   - rowCounts: of a masked form: how many rows each lane has in each step's batch, [K][steps].
    ///   - counts: how many of the steps each lane takes.
    ///   - reset: whether metrics begin anew.
    ///   - form: the function's form; nil: the program's.
    ///   - halt: whether a lane takes no step after one whose loss is NaN or infinite, until its metrics begin anew.
    ///   - keep: is given the state as it was, if that is wanted: the device then works on a copy of its own.
    /// - Returns: the logs, [K, L] on the device; the state is replaced.
    public func run(
        _ name: FunctionName, steps: Int, rows: Int, state: inout State, inputs: consuming BufferList,
        rowCounts: [Int32]? = nil, counts: [Int32], reset: Bool, form: String? = nil, halt: Bool = false,
        keep: ((consuming State) -> Void)? = nil
    ) throws(ProgramError) -> Buffer {
        let executable = try executable(name, steps: steps, rows: rows, form: form, halt: halt)
        var arguments = inputs
        do throws(PJRTError) {
            if let rowCounts { arguments.append(try client.buffer(rowCounts, shape: [lanes, steps])) }
            arguments.append(try client.buffer(counts))
            arguments.append(try client.buffer([Int32(reset ? 1 : 0)], shape: []))
            if let keep {
                var results = try executable.execute(state.leaves, arguments)
                let logs = results.remove(at: results.count - 1)
                var earlier = State(leaves: results)
                swap(&earlier, &state)
                keep(earlier)
                return logs
            }
            var logs = BufferList(client)
            try state.update { (given) throws(PJRTError) in
                var results = try executable.execute(donating: given, arguments)
                logs.append(results.remove(at: results.count - 1))
                return results
            }
            return logs.remove(at: 0)
        } catch {
            throw ProgramError(.plugin, "\(name.rawValue) failed on the device", cause: error)
        }
    }

    /// Takes rows of arrays that lie on the device.
    ///
    /// - Parameters:
    ///   - numbers: row numbers, [K][steps][rows], each below the number of rows of every array.
    ///   - arrays: an array an input of the program, [N, …].
    /// - Returns: a buffer an input, [K, steps, rows, …].
    public func gather(
        _ numbers: [Int32], steps: Int, rows: Int, of arrays: borrowing BufferList
    ) throws(ProgramError) -> BufferList {
        let shape = RowGather.Shape(arrays: arrays.types, lanes: lanes, steps: steps, rows: rows)
        let executable = try gatherer(shape)
        do throws(PJRTError) {
            var places = BufferList(client)
            places.append(try client.buffer(numbers, shape: shape.numbers.shape))
            return try executable.execute(arrays, places)
        } catch {
            throw ProgramError(.plugin, "taking rows failed on the device", cause: error)
        }
    }

    /// What the lanes' models give for steps of batches; the state stays as it is.
    ///
    /// - Parameter inputs: one buffer an input of role `x`, [K, steps, rows, …].
    /// - Returns: the outputs, [K, steps, rows, …] each, on the device.
    public func predict(
        steps: Int, rows: Int, state: borrowing State, inputs: borrowing BufferList
    ) throws(ProgramError) -> BufferList {
        let executable = try executable(.predict, steps: steps, rows: rows)
        do throws(PJRTError) {
            return try executable.execute(state.leaves, inputs)
        } catch {
            throw ProgramError(.plugin, "predict failed on the device", cause: error)
        }
    }

    /// What `Model.fit` does to the weights at its end.
    public func finalize(_ state: inout State) throws(ProgramError) {
        guard bundle.description.finalizes else { return }
        let executable = try executable(.finalize)
        do throws(PJRTError) {
            try state.update { (given) throws(PJRTError) in try executable.execute(donating: given) }
        } catch {
            throw ProgramError(.plugin, "finalize failed on the device", cause: error)
        }
    }

    /// Exchanges the weights of every lane with their moving averages: `SwapEMAWeights._swap_variables`.
    ///
    /// Only the buffers change places, so that nothing is computed or copied.
    public func exchangeAverages(_ state: inout State) {
        for pair in bundle.description.averages ?? [] where pair.count == 2 { state.exchange(pair[0], pair[1]) }
    }

    /// The numbers that the lanes have in the leaf of a parameter.
    ///
    /// - Throws: when the program has no such leaf, or one of another type than float32.
    public func values(_ parameter: String, in state: borrowing State) throws(ProgramError) -> [Float] {
        guard let leaf = bundle.description.parameters.first(where: { $0.name == parameter })?.leaf else {
            throw ProgramError(.noSuchFunction, "the program in \(bundle.folder) has no leaf for \(parameter)")
        }
        do throws(PJRTError) {
            return try state.leaves.array(leaf, as: Float.self)
        } catch {
            throw ProgramError(.plugin, "\(parameter) cannot be read from the device", cause: error)
        }
    }

    /// For each lane the first state where the mask is true, otherwise the second.
    ///
    /// - Parameter onlyWeights: takes what is no weight of the model (`Model.weights`) from the second in any case.
    public func choose(
        _ mask: [Bool], _ first: borrowing State, _ second: borrowing State, onlyWeights: Bool = false
    ) throws(ProgramError) -> State {
        let executable = try chooser(first.leaves.types, onlyWeights)
        let padded = (0..<lanes).map { $0 < mask.count && mask[$0] }
        do throws(PJRTError) {
            var choice = BufferList(client)
            choice.append(try client.buffer(padded))
            return State(leaves: try executable.execute(choice, first.leaves, second.leaves))
        } catch {
            throw ProgramError(.plugin, "choosing between two states failed on the device", cause: error)
        }
    }

    /// Compiles a function, or loads it from the cache, without calling it.
    public func prepare(
        _ name: FunctionName, steps: Int? = nil, rows: Int? = nil, form: String? = nil, halt: Bool = false
    ) throws(ProgramError) {
        _ = try executable(name, steps: steps, rows: rows, form: form, halt: halt)
    }

    private func executable(
        _ name: FunctionName, steps: Int? = nil, rows: Int? = nil, form: String? = nil, halt: Bool = false
    ) throws(ProgramError) -> Executable {
        let function = try bundle.function(
            name, lanes: lanes, steps: steps, rows: rows, form: form ?? self.form, halt: halt)
        if let ready = executables[function.file] { return ready }
        let code = try bundle.code(of: function)
        return try compile(
            function.file, try bundle.description.signature(of: name, function), code.bytes)
    }

    private func chooser(_ state: [TensorType], _ onlyWeights: Bool) throws(ProgramError) -> Executable {
        let name = LaneChoice.name(onlyWeights: onlyWeights)
        if let ready = executables[name] { return ready }
        let chosen = bundle.description.state.map { !onlyWeights || $0.weight }
        let text = Array(LaneChoice.module(state: state, lanes: lanes, chosen: chosen).utf8)
        let signature = LaneChoice.signature(state: state, lanes: lanes)
        return try text.span.withUnsafeBytes { (code) throws(ProgramError) in
            try compile(name, signature, code)
        }
    }

    private func gatherer(_ shape: RowGather.Shape) throws(ProgramError) -> Executable {
        if let ready = executables[shape.name], ready.signature == shape.signature { return ready }
        let text = Array(RowGather.module(shape).utf8)
        return try text.span.withUnsafeBytes { (code) throws(ProgramError) in
            try compile(shape.name, shape.signature, code)
        }
    }

    private func compile(
        _ name: String, _ signature: Signature, _ code: UnsafeRawBufferPointer
    ) throws(ProgramError) -> Executable {
        onCompiling(name)
        let clock = ContinuousClock()
        let began = clock.now
        do throws(PJRTError) {
            let (executable, origin) = try cache.executable(
                code, for: client, signature: signature, options: options)
            executables[name] = executable
            let taken = began.duration(to: clock.now).components
            onCompiled(
                CompiledFunction(
                    file: name, seconds: Double(taken.seconds) + Double(taken.attoseconds) / 1e18,
                    cached: origin == .cache, memory: executable.memory))
            return executable
        } catch {
            throw ProgramError(.plugin, "\(name) of \(bundle.folder) cannot be compiled", cause: error)
        }
    }
}
