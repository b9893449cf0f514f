internal import CPJRT

/// The form of a program's code.
public enum ProgramFormat: String, Sendable {
    /// StableHLO, as bytecode (a portable artifact) or as text.
    case mlir
    /// A serialized `HloModuleProto`.
    case hlo
}

extension Client {
    /// Compiles a program.
    ///
    /// - Parameters:
    ///   - code: The program.
    ///   - format: The code's form.
    ///   - signature: What the program takes and gives. Every call is held to it.
    ///   - options: How to compile.
    public func compile(
        _ code: UnsafeRawBufferPointer, format: ProgramFormat = .mlir, signature: Signature,
        options: CompileOptions = CompileOptions()
    ) throws(PJRTError) -> Executable {
        guard code.count > 0 else { throw PJRTError(.invalidArgument, "an empty program cannot be compiled") }
        let optionBytes = options.serialized
        let formatBytes = Array(format.rawValue.utf8)
        let loaded = try optionBytes.span.withUnsafeBytes { (optionBytes) throws(PJRTError) in
            try formatBytes.span.withUnsafeBytes { (formatBytes) throws(PJRTError) in
                var program = PJRT_Program.make()
                program.code = code.characters
                program.code_size = code.count
                program.format = formatBytes.characters
                program.format_size = formatBytes.count
                return try withUnsafePointer(to: program) { (program) throws(PJRTError) in
                    var arguments = PJRT_Client_Compile_Args.make()
                    arguments.client = handle
                    arguments.program = program
                    arguments.compile_options = optionBytes.characters
                    arguments.compile_options_size = optionBytes.count
                    try table.call(table.api.pointee.PJRT_Client_Compile, "Client_Compile", &arguments)
                    return try table.require(arguments.executable, "Client_Compile")
                }
            }
        }
        return try Executable(self, loaded: loaded, signature)
    }

    /// Compiles a program given as StableHLO text.
    public func compile(
        mlir text: String, signature: Signature, options: CompileOptions = CompileOptions()
    ) throws(PJRTError) -> Executable {
        try Array(text.utf8).span.withUnsafeBytes { (code) throws(PJRTError) in
            try compile(code, signature: signature, options: options)
        }
    }

    /// Loads a compiled program.
    ///
    /// The bytes must come from the same plugin and fit this machine: a plugin may crash over another's, or over
    /// instructions that the processor lacks. `ExecutableCache` sees to that.
    public func load(
        serialized bytes: UnsafeRawBufferPointer, signature: Signature
    ) throws(PJRTError) -> Executable {
        guard bytes.count > 0 else { throw PJRTError(.invalidArgument, "an empty executable cannot be loaded") }
        var arguments = PJRT_Executable_DeserializeAndLoad_Args.make()
        arguments.client = handle
        arguments.serialized_executable = bytes.characters
        arguments.serialized_executable_size = bytes.count
        try table.call(
            table.api.pointee.PJRT_Executable_DeserializeAndLoad, "Executable_DeserializeAndLoad", &arguments)
        let loaded = try table.require(arguments.loaded_executable, "Executable_DeserializeAndLoad")
        return try Executable(self, loaded: loaded, signature)
    }
}

extension UnsafeRawBufferPointer {
    /// The same memory, typed as the interface wants it.
    fileprivate var characters: UnsafePointer<CChar>? { baseAddress?.assumingMemoryBound(to: CChar.self) }
}
