internal import CPJRT

/// A program compiled for a device.
public final class Executable: Sendable {
    /// The client that compiled it.
    public let client: Client
    /// What it takes and gives.
    public let signature: Signature
    /// The memory that a call needs.
    public let memory: ExecutableMemory

    // Valid until `deinit`; the plugin does its own locking behind them.
    nonisolated(unsafe) let loaded: OpaquePointer
    nonisolated(unsafe) private let program: OpaquePointer

    // All argument numbers, of which a call passes a part as those not to be overwritten.
    let argumentNumbers: [Int64]

    /// Takes over a loaded executable and holds the caller's signature against what the plugin says.
    init(_ client: Client, loaded: OpaquePointer, _ signature: Signature) throws(PJRTError) {
        let table = client.table
        let api = table.api.pointee
        var program: OpaquePointer?
        do throws(PJRTError) {
            let found = try table.related(
                api.PJRT_LoadedExecutable_GetExecutable, "LoadedExecutable_GetExecutable", to: loaded)
            program = found
            memory = try ExecutableMemory(table, found)
            try signature.check(results: try table.results(of: found))
            // The one thing that a plugin tells about arguments. Only the CPU's figure is known to be exact.
            let bytes = signature.arguments.reduce(0) { $0 + $1.byteCount }
            guard !client.isCPU || memory.arguments == bytes else {
                throw PJRTError(
                    .invalidArgument,
                    "the program takes \(memory.arguments) bytes of arguments, its signature says \(bytes)")
            }
            self.program = found
        } catch {
            table.release(api.PJRT_Executable_Destroy, program)
            table.release(api.PJRT_LoadedExecutable_Destroy, loaded)
            throw error
        }
        self.client = client
        self.signature = signature
        self.loaded = loaded
        argumentNumbers = Array(0..<Int64(signature.arguments.count))
    }

    deinit {
        client.table.release(client.table.api.pointee.PJRT_Executable_Destroy, program)
        client.table.release(client.table.api.pointee.PJRT_LoadedExecutable_Destroy, loaded)
    }

    /// The compiled program's bytes, for `Client.load(serialized:signature:)` of the same plugin on such a device.
    public func serialized() throws(PJRTError) -> [UInt8] {
        let table = client.table
        var arguments = PJRT_Executable_Serialize_Args.make()
        arguments.executable = program
        try table.call(table.api.pointee.PJRT_Executable_Serialize, "Executable_Serialize", &arguments)
        defer { arguments.serialized_executable_deleter?(arguments.serialized_executable) }
        return Array(
            UnsafeRawBufferPointer(start: arguments.serialized_bytes, count: arguments.serialized_bytes_size))
    }
}

/// What a call of a program needs of the device's memory, in bytes.
public struct ExecutableMemory: Sendable, Hashable {
    /// All arguments.
    public let arguments: Int
    /// All results, those in the memory of arguments included.
    public let outputs: Int
    /// The results that are written over arguments given away.
    public let aliased: Int
    /// What the program needs while it runs.
    public let temporary: Int
    /// The compiled code.
    public let generatedCode: Int

    /// What a call needs at most: arguments, results and temporaries, where aliased ones count once.
    public var total: Int { arguments + outputs - aliased + temporary + generatedCode }

    init(_ table: PluginTable, _ program: OpaquePointer) throws(PJRTError) {
        var stats = PJRT_Executable_GetCompiledMemoryStats_Args.make()
        stats.executable = program
        try table.call(
            table.api.pointee.PJRT_Executable_GetCompiledMemoryStats, "Executable_GetCompiledMemoryStats", &stats)
        arguments = Int(stats.argument_size_in_bytes)
        outputs = Int(stats.output_size_in_bytes)
        aliased = Int(stats.alias_size_in_bytes)
        temporary = Int(stats.temp_size_in_bytes)
        generatedCode = Int(stats.generated_code_size_in_bytes)
    }
}

extension PluginTable {
    /// The types of a program's results; nil for an element type that has no name here.
    fileprivate func results(of program: OpaquePointer) throws(PJRTError) -> [TensorType?] {
        var codes = PJRT_List_Args.make()
        codes.handle = UnsafeMutableRawPointer(program)
        try call(api.pointee.PJRT_Executable_OutputElementTypes, "Executable_OutputElementTypes", &codes)
        var shapes = PJRT_Executable_OutputDimensions_Args.make()
        shapes.executable = program
        try call(api.pointee.PJRT_Executable_OutputDimensions, "Executable_OutputDimensions", &shapes)
        guard codes.count == shapes.num_outputs else {
            throw PJRTError(.incompatible, "the plugin disagrees with itself about how many results a program has")
        }
        var types: [TensorType?] = []
        var next = 0
        let elementTypes = UnsafeBufferPointer(
            start: codes.elements?.assumingMemoryBound(to: Int32.self), count: codes.count)
        for (code, rank) in zip(elementTypes, UnsafeBufferPointer(start: shapes.dim_sizes, count: codes.count)) {
            let dimensions = UnsafeBufferPointer(start: shapes.dims.map { $0 + next }, count: rank)
            types.append(ElementType(code: code).map { TensorType($0, dimensions.map { Int($0) }) })
            next += rank
        }
        return types
    }
}

extension Signature {
    /// Refuses a signature whose results are not the program's.
    fileprivate func check(results found: [TensorType?]) throws(PJRTError) {
        guard found.count == results.count else {
            throw PJRTError(
                .invalidArgument, "the program has \(found.count) results, its signature says \(results.count)")
        }
        for (index, pair) in zip(found, results).enumerated() where pair.0 != pair.1 {
            throw PJRTError(
                .invalidArgument,
                "result \(index) of the program is \(pair.0.map { "\($0)" } ?? "of a type that is not supported"), "
                    + "its signature says \(pair.1)")
        }
    }
}
