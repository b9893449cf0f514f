internal import CPJRT

/// An argument struct of the interface: zero bytes behind a header that says how large it is.
protocol PluginArguments {
    init()
    var header: PJRT_Header { get set }
}

extension PluginArguments {
    /// A struct of zeros whose header is filled in.
    static func make() -> Self {
        var arguments = Self()
        arguments.header.struct_size = MemoryLayout<Self>.size
        return arguments
    }
}

extension PJRT_Handle_Args: PluginArguments {}
extension PJRT_Related_Args: PluginArguments {}
extension PJRT_Text_Args: PluginArguments {}
extension PJRT_List_Args: PluginArguments {}
extension PJRT_Int_Args: PluginArguments {}
extension PJRT_Bool_Args: PluginArguments {}
extension PJRT_NamedValue: PluginArguments {}
extension PJRT_Plugin_Initialize_Args: PluginArguments {}
extension PJRT_Plugin_Attributes_Args: PluginArguments {}
extension PJRT_Event_OnReady_Args: PluginArguments {}
extension PJRT_Client_Create_Args: PluginArguments {}
extension PJRT_Device_MemoryStats_Args: PluginArguments {}
extension PJRT_Client_BufferFromHostBuffer_Args: PluginArguments {}
extension PJRT_Buffer_ToHostBuffer_Args: PluginArguments {}
extension PJRT_Program: PluginArguments {}
extension PJRT_Client_Compile_Args: PluginArguments {}
extension PJRT_Executable_OutputDimensions_Args: PluginArguments {}
extension PJRT_Executable_GetCompiledMemoryStats_Args: PluginArguments {}
extension PJRT_Executable_Serialize_Args: PluginArguments {}
extension PJRT_Executable_DeserializeAndLoad_Args: PluginArguments {}
extension PJRT_ExecuteOptions: PluginArguments {}
extension PJRT_LoadedExecutable_Execute_Args: PluginArguments {}

/// A plugin's function table, and the one way to call through it.
///
/// The table is immutable and lives as long as the process, for a plugin is never closed; its functions may be
/// called from any thread. That is what makes it safe to share.
struct PluginTable: @unchecked Sendable {
    let api: UnsafePointer<PJRT_Api>

    /// Calls a function of the table and turns the error it may return into a Swift error.
    @inline(__always)
    func call<Arguments: PluginArguments>(
        _ function: PJRT_Function?, _ name: StaticString, _ arguments: inout Arguments
    ) throws(PJRTError) {
        guard let function else {
            throw PJRTError(.incompatible, "the plugin has no PJRT_\(name); a newer plugin is needed")
        }
        if let error = withUnsafeMutablePointer(to: &arguments, { function($0) }) { throw consume(error, of: name) }
    }

    /// Calls a function that releases something, where an error could not be acted upon.
    @inline(__always)
    func release(_ function: PJRT_Function?, _ handle: OpaquePointer?) {
        guard let handle, let function else { return }
        var arguments = PJRT_Handle_Args.make()
        arguments.handle = UnsafeMutableRawPointer(handle)
        if let error = function(&arguments) { destroy(error) }
    }

    /// Frees a plugin's error and returns what it said.
    func consume(_ error: OpaquePointer, of name: StaticString) -> PJRTError {
        var code = PJRT_Int_Args.make()
        code.handle = UnsafeMutableRawPointer(error)
        if let get = api.pointee.PJRT_Error_GetCode, let second = get(&code) { destroy(second) }

        var text = PJRT_Text_Args.make()
        text.handle = UnsafeMutableRawPointer(error)
        api.pointee.PJRT_Error_Message?(&text)
        let message = string(text.text, text.text_size)
        destroy(error)
        return PJRTError(
            .plugin(PJRTError.Status(rawValue: code.value) ?? .unknown),
            "the plugin refused PJRT_\(name): \(message.isEmpty ? "no reason given" : message)")
    }

    private func destroy(_ error: OpaquePointer) {
        var arguments = PJRT_Handle_Args.make()
        arguments.handle = UnsafeMutableRawPointer(error)
        api.pointee.PJRT_Error_Destroy?(&arguments)
    }

    /// Waits for an event, destroys it, and throws the error that it carries.
    func await(_ event: OpaquePointer?, of name: StaticString) throws(PJRTError) {
        guard let event else { return }
        defer { release(api.pointee.PJRT_Event_Destroy, event) }
        guard let wait = api.pointee.PJRT_Event_Await else {
            throw PJRTError(.incompatible, "the plugin has no PJRT_Event_Await; a newer plugin is needed")
        }
        var arguments = PJRT_Handle_Args.make()
        arguments.handle = UnsafeMutableRawPointer(event)
        if let error = wait(&arguments) { throw consume(error, of: name) }
    }

    /// The text that a function of the table gives for a handle.
    func text(_ function: PJRT_Function?, _ name: StaticString, of handle: OpaquePointer) throws(PJRTError) -> String {
        var arguments = PJRT_Text_Args.make()
        arguments.handle = UnsafeMutableRawPointer(handle)
        try call(function, name, &arguments)
        return string(arguments.text, arguments.text_size)
    }

    /// The handle that a function of the table gives for another.
    func related(
        _ function: PJRT_Function?, _ name: StaticString, to handle: OpaquePointer
    ) throws(PJRTError) -> OpaquePointer {
        var arguments = PJRT_Related_Args.make()
        arguments.handle = UnsafeMutableRawPointer(handle)
        try call(function, name, &arguments)
        return try require(arguments.related.map { OpaquePointer($0) }, name)
    }

    /// A handle that a call that reported no error must have filled in.
    func require(_ handle: OpaquePointer?, _ name: StaticString) throws(PJRTError) -> OpaquePointer {
        guard let handle else {
            throw PJRTError(.incompatible, "PJRT_\(name) of the plugin succeeded but returned nothing")
        }
        return handle
    }
}

/// A Swift string of a plugin's text, which ends at no zero byte.
func string(_ text: UnsafePointer<CChar>?, _ size: Int) -> String {
    guard let text, size > 0 else { return "" }
    return String(decoding: UnsafeRawBufferPointer(start: text, count: size), as: UTF8.self)
}
