import CPJRT
import SystemPackage
import Testing

@Suite(.enabled(if: TestPlugin.hasHeader))
struct LayoutTests {
    @Test("A plugin reads and writes the fields that are meant")
    func layoutsEqualThePublishedOnes() throws {
        let header = try #require(TestPlugin.header)
        var source = "#include <stdio.h>\n#include \"\(header)\"\nint main(void) {\n"
        for layout in layouts {
            source += "printf(\"%s %zu\\n\", \"\(layout.name)\", sizeof(\(layout.name)));\n"
            for field in layout.fields {
                source += "printf(\"%s %zu\\n\", \"\(layout.name).\(field.name)\", "
                source += "offsetof(\(layout.name), \(field.name)));\n"
            }
        }
        source += "return 0; }\n"
        let folder = temporaryFolder()
        try write(Array(source.utf8), to: folder.appending("layout.c"))
        let printed = try #require(shell("cd \(folder) && cc -o layout layout.c && ./layout"))

        var published: [String: Int] = [:]
        for line in printed.split(separator: "\n") {
            let words = line.split(separator: " ")
            published[String(words[0])] = Int(words[1])
        }
        for layout in layouts {
            // The published table is longer: this one ends with the last entry that is called.
            if layout.name != "PJRT_Api" { #expect(published[layout.name] == layout.size, "\(layout.name)") }
            for field in layout.fields {
                let name = "\(layout.name).\(field.name)"
                #expect(field.offset != nil, "\(name)")
                #expect(published[name] == field.offset, "\(name)")
            }
        }
        #expect(published.count == layouts.reduce(0) { $0 + 1 + $1.fields.count })
    }

    @Test("Numbers of element types, options and semantics mean the same to the plugin")
    func numbersEqualThePublishedOnes() throws {
        let header = try #require(TestPlugin.header)
        let numbers: [(String, Int)] = [
            ("PJRT_Buffer_Type_PRED", PJRT_Buffer_Type_PRED), ("PJRT_Buffer_Type_S8", PJRT_Buffer_Type_S8),
            ("PJRT_Buffer_Type_S16", PJRT_Buffer_Type_S16), ("PJRT_Buffer_Type_S32", PJRT_Buffer_Type_S32),
            ("PJRT_Buffer_Type_S64", PJRT_Buffer_Type_S64), ("PJRT_Buffer_Type_U8", PJRT_Buffer_Type_U8),
            ("PJRT_Buffer_Type_U16", PJRT_Buffer_Type_U16), ("PJRT_Buffer_Type_U32", PJRT_Buffer_Type_U32),
            ("PJRT_Buffer_Type_U64", PJRT_Buffer_Type_U64), ("PJRT_Buffer_Type_F16", PJRT_Buffer_Type_F16),
            ("PJRT_Buffer_Type_F32", PJRT_Buffer_Type_F32), ("PJRT_Buffer_Type_F64", PJRT_Buffer_Type_F64),
            ("PJRT_Buffer_Type_BF16", PJRT_Buffer_Type_BF16),
            ("PJRT_NamedValue_kString", PJRT_NamedValue_String), ("PJRT_NamedValue_kInt64", PJRT_NamedValue_Int64),
            ("PJRT_NamedValue_kInt64List", PJRT_NamedValue_Int64List),
            ("PJRT_NamedValue_kFloat", PJRT_NamedValue_Float), ("PJRT_NamedValue_kBool", PJRT_NamedValue_Bool),
            ("PJRT_HostBufferSemantics_kImmutableOnlyDuringCall", PJRT_HostBufferSemantics_OnlyDuringCall),
            (
                "PJRT_HostBufferSemantics_kImmutableUntilTransferCompletes",
                PJRT_HostBufferSemantics_UntilTransferCompletes
            ),
            ("PJRT_HostBufferSemantics_kImmutableZeroCopy", PJRT_HostBufferSemantics_ImmutableZeroCopy),
        ]
        var source = "#include \"\(header)\"\n"
        for (name, value) in numbers { source += "_Static_assert(\(name) == \(value), \"\(name)\");\n" }
        let file = temporaryFolder().appending("numbers.c")
        try write(Array(source.utf8), to: file)
        #expect(shell("cc -fsyntax-only \(file) 2>&1") == "")
    }
}

/// Where fields are in a struct of ours, under the published names.
private struct Layout {
    var name: String
    var size: Int
    var fields: [(name: String, offset: Int?)]

    init<Type>(_ name: String, _: Type.Type, _ fields: [(String, PartialKeyPath<Type>)]) {
        self.name = name
        size = MemoryLayout<Type>.size
        self.fields = fields.map { ($0.0, MemoryLayout<Type>.offset(of: $0.1)) }
    }

    static func handle(_ name: String, _ field: String) -> Layout {
        Layout(
            name, PJRT_Handle_Args.self,
            [("struct_size", \.header.struct_size), ("extension_start", \.header.extension_start), (field, \.handle)])
    }

    static func text(_ name: String, _ handle: String, _ text: String) -> Layout {
        Layout(
            name, PJRT_Text_Args.self,
            [
                ("extension_start", \.header.extension_start), (handle, \.handle), (text, \.text),
                ("\(text)_size", \.text_size),
            ])
    }

    static func related(_ name: String, _ handle: String, _ related: String) -> Layout {
        Layout(name, PJRT_Related_Args.self, [(handle, \.handle), (related, \.related)])
    }

    static func list(_ name: String, _ handle: String, _ elements: String, _ count: String) -> Layout {
        Layout(name, PJRT_List_Args.self, [(handle, \.handle), (elements, \.elements), (count, \.count)])
    }

    static func int(_ name: String, _ handle: String, _ value: String) -> Layout {
        Layout(name, PJRT_Int_Args.self, [(handle, \.handle), (value, \.value)])
    }
}

private let layouts: [Layout] =
    [
        .handle("PJRT_Error_Destroy_Args", "error"),
        .handle("PJRT_Event_Destroy_Args", "event"),
        .handle("PJRT_Event_Await_Args", "event"),
        .handle("PJRT_Client_Destroy_Args", "client"),
        .handle("PJRT_Executable_Destroy_Args", "executable"),
        .handle("PJRT_LoadedExecutable_Destroy_Args", "executable"),
        .handle("PJRT_Buffer_Destroy_Args", "buffer"),
        .text("PJRT_Error_Message_Args", "error", "message"),
        .text("PJRT_Client_PlatformName_Args", "client", "platform_name"),
        .text("PJRT_Client_PlatformVersion_Args", "client", "platform_version"),
        .text("PJRT_DeviceDescription_Kind_Args", "device_description", "device_kind"),
        .text("PJRT_DeviceDescription_DebugString_Args", "device_description", "debug_string"),
        .related("PJRT_Device_GetDescription_Args", "device", "device_description"),
        .related("PJRT_LoadedExecutable_GetExecutable_Args", "loaded_executable", "executable"),
        .related("PJRT_Buffer_UnsafePointer_Args", "buffer", "buffer_pointer"),
        .list(
            "PJRT_Client_AddressableDevices_Args", "client", "addressable_devices", "num_addressable_devices"),
        .list("PJRT_Executable_OutputElementTypes_Args", "executable", "output_types", "num_output_types"),
        .int("PJRT_Error_GetCode_Args", "error", "code"),
        .int("PJRT_DeviceDescription_Id_Args", "device_description", "id"),
        Layout("PJRT_Buffer_IsDeleted_Args", PJRT_Bool_Args.self, [("buffer", \.handle), ("is_deleted", \.value)]),
        Layout(
            "PJRT_NamedValue", PJRT_NamedValue.self,
            [("name", \.name), ("name_size", \.name_size), ("type", \.type), ("value_size", \.value_size)]),
        Layout("PJRT_Plugin_Initialize_Args", PJRT_Plugin_Initialize_Args.self, []),
        Layout(
            "PJRT_Plugin_Attributes_Args", PJRT_Plugin_Attributes_Args.self,
            [("attributes", \.attributes), ("num_attributes", \.num_attributes)]),
        Layout(
            "PJRT_Event_OnReady_Args", PJRT_Event_OnReady_Args.self,
            [("event", \.event), ("callback", \.callback), ("user_arg", \.user_arg)]),
        Layout(
            "PJRT_Client_Create_Args", PJRT_Client_Create_Args.self,
            [
                ("create_options", \.create_options), ("num_options", \.num_options),
                ("kv_get_callback", \.kv_get_callback), ("kv_put_user_arg", \.kv_put_user_arg), ("client", \.client),
                ("kv_try_get_user_arg", \.kv_try_get_user_arg),
            ]),
        Layout(
            "PJRT_Device_MemoryStats_Args", PJRT_Device_MemoryStats_Args.self,
            [
                ("device", \.device), ("bytes_in_use", \.bytes_in_use), ("peak_bytes_in_use", \.peak_bytes_in_use),
                ("peak_bytes_in_use_is_set", \.peak_bytes_in_use_is_set), ("bytes_limit", \.bytes_limit),
                ("bytes_limit_is_set", \.bytes_limit_is_set),
                ("largest_free_block_bytes", \.largest_free_block_bytes),
                ("largest_free_block_bytes_is_set", \.largest_free_block_bytes_is_set),
                ("peak_pool_bytes_is_set", \.peak_pool_bytes_is_set),
            ]),
        Layout(
            "PJRT_Client_BufferFromHostBuffer_Args", PJRT_Client_BufferFromHostBuffer_Args.self,
            [
                ("client", \.client), ("data", \.data), ("type", \.type), ("dims", \.dims), ("num_dims", \.num_dims),
                ("byte_strides", \.byte_strides), ("num_byte_strides", \.num_byte_strides),
                ("host_buffer_semantics", \.host_buffer_semantics), ("device", \.device), ("memory", \.memory),
                ("device_layout", \.device_layout), ("done_with_host_buffer", \.done_with_host_buffer),
                ("buffer", \.buffer),
            ]),
        Layout(
            "PJRT_Buffer_ToHostBuffer_Args", PJRT_Buffer_ToHostBuffer_Args.self,
            [
                ("src", \.src), ("host_layout", \.host_layout), ("dst", \.dst), ("dst_size", \.dst_size),
                ("event", \.event),
            ]),
        Layout(
            "PJRT_Program", PJRT_Program.self,
            [("code", \.code), ("code_size", \.code_size), ("format", \.format), ("format_size", \.format_size)]),
        Layout(
            "PJRT_Client_Compile_Args", PJRT_Client_Compile_Args.self,
            [
                ("client", \.client), ("program", \.program), ("compile_options", \.compile_options),
                ("compile_options_size", \.compile_options_size), ("executable", \.executable),
            ]),
        Layout(
            "PJRT_Executable_OutputDimensions_Args", PJRT_Executable_OutputDimensions_Args.self,
            [
                ("executable", \.executable), ("num_outputs", \.num_outputs), ("dims", \.dims),
                ("dim_sizes", \.dim_sizes),
            ]),
        Layout(
            "PJRT_Executable_GetCompiledMemoryStats_Args", PJRT_Executable_GetCompiledMemoryStats_Args.self,
            [
                ("executable", \.executable), ("generated_code_size_in_bytes", \.generated_code_size_in_bytes),
                ("argument_size_in_bytes", \.argument_size_in_bytes),
                ("output_size_in_bytes", \.output_size_in_bytes), ("alias_size_in_bytes", \.alias_size_in_bytes),
                ("temp_size_in_bytes", \.temp_size_in_bytes), ("peak_memory_in_bytes", \.peak_memory_in_bytes),
            ]),
        Layout(
            "PJRT_Executable_Serialize_Args", PJRT_Executable_Serialize_Args.self,
            [
                ("executable", \.executable), ("serialized_bytes", \.serialized_bytes),
                ("serialized_bytes_size", \.serialized_bytes_size),
                ("serialized_executable", \.serialized_executable),
                ("serialized_executable_deleter", \.serialized_executable_deleter),
            ]),
        Layout(
            "PJRT_Executable_DeserializeAndLoad_Args", PJRT_Executable_DeserializeAndLoad_Args.self,
            [
                ("client", \.client), ("serialized_executable", \.serialized_executable),
                ("serialized_executable_size", \.serialized_executable_size),
                ("loaded_executable", \.loaded_executable),
                ("overridden_serialized_compile_options_size", \.overridden_serialized_compile_options_size),
            ]),
        Layout(
            "PJRT_ExecuteOptions", PJRT_ExecuteOptions.self,
            [
                ("launch_id", \.launch_id), ("non_donatable_input_indices", \.non_donatable_input_indices),
                ("num_non_donatable_input_indices", \.num_non_donatable_input_indices), ("context", \.context),
                ("call_location", \.call_location), ("incarnation_ids", \.incarnation_ids),
            ]),
        Layout(
            "PJRT_LoadedExecutable_Execute_Args", PJRT_LoadedExecutable_Execute_Args.self,
            [
                ("executable", \.executable), ("options", \.options), ("argument_lists", \.argument_lists),
                ("num_devices", \.num_devices), ("num_args", \.num_args), ("output_lists", \.output_lists),
                ("device_complete_events", \.device_complete_events), ("execute_device", \.execute_device),
            ]),
        table,
    ]

private let table = Layout(
    "PJRT_Api", PJRT_Api.self,
    [
        ("pjrt_api_version.major_version", \.pjrt_api_version.major_version),
        ("pjrt_api_version.minor_version", \.pjrt_api_version.minor_version),
        ("PJRT_Error_Destroy", \.PJRT_Error_Destroy),
        ("PJRT_Error_Message", \.PJRT_Error_Message),
        ("PJRT_Error_GetCode", \.PJRT_Error_GetCode),
        ("PJRT_Plugin_Initialize", \.PJRT_Plugin_Initialize),
        ("PJRT_Plugin_Attributes", \.PJRT_Plugin_Attributes),
        ("PJRT_Event_Destroy", \.PJRT_Event_Destroy),
        ("PJRT_Event_Await", \.PJRT_Event_Await),
        ("PJRT_Event_OnReady", \.PJRT_Event_OnReady),
        ("PJRT_Client_Create", \.PJRT_Client_Create),
        ("PJRT_Client_Destroy", \.PJRT_Client_Destroy),
        ("PJRT_Client_PlatformName", \.PJRT_Client_PlatformName),
        ("PJRT_Client_PlatformVersion", \.PJRT_Client_PlatformVersion),
        ("PJRT_Client_AddressableDevices", \.PJRT_Client_AddressableDevices),
        ("PJRT_Client_Compile", \.PJRT_Client_Compile),
        ("PJRT_Client_BufferFromHostBuffer", \.PJRT_Client_BufferFromHostBuffer),
        ("PJRT_DeviceDescription_Id", \.PJRT_DeviceDescription_Id),
        ("PJRT_DeviceDescription_Kind", \.PJRT_DeviceDescription_Kind),
        ("PJRT_DeviceDescription_DebugString", \.PJRT_DeviceDescription_DebugString),
        ("PJRT_Device_GetDescription", \.PJRT_Device_GetDescription),
        ("PJRT_Device_MemoryStats", \.PJRT_Device_MemoryStats),
        ("PJRT_Executable_Destroy", \.PJRT_Executable_Destroy),
        ("PJRT_Executable_Serialize", \.PJRT_Executable_Serialize),
        ("PJRT_LoadedExecutable_Destroy", \.PJRT_LoadedExecutable_Destroy),
        ("PJRT_LoadedExecutable_GetExecutable", \.PJRT_LoadedExecutable_GetExecutable),
        ("PJRT_LoadedExecutable_Execute", \.PJRT_LoadedExecutable_Execute),
        ("PJRT_Executable_DeserializeAndLoad", \.PJRT_Executable_DeserializeAndLoad),
        ("PJRT_Buffer_Destroy", \.PJRT_Buffer_Destroy),
        ("PJRT_Buffer_IsDeleted", \.PJRT_Buffer_IsDeleted),
        ("PJRT_Buffer_ToHostBuffer", \.PJRT_Buffer_ToHostBuffer),
        ("PJRT_Buffer_UnsafePointer", \.PJRT_Buffer_UnsafePointer),
        ("PJRT_Executable_OutputElementTypes", \.PJRT_Executable_OutputElementTypes),
        ("PJRT_Executable_OutputDimensions", \.PJRT_Executable_OutputDimensions),
        ("PJRT_Executable_GetCompiledMemoryStats", \.PJRT_Executable_GetCompiledMemoryStats),
    ])
