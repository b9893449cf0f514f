// C declarations of the PJRT plugin ABI, as far as the Swift module PJRT uses it.
//
// Written for this project from the layout published with OpenXLA's PJRT C API 0.81. Within major version 0 the
// table and the argument structs only ever grow at their ends, so these layouts drive newer plugins too: each
// struct starts with its size, and a plugin reads no further than that.
//
// Many calls take arguments of one shape (a handle; a handle and a text; ...), so one struct here stands for all of
// them. A test compares every offset and size with the header that a plugin's wheel carries.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Objects that the plugin owns or hands out.

typedef struct PJRT_Error PJRT_Error;
typedef struct PJRT_Event PJRT_Event;
typedef struct PJRT_Client PJRT_Client;
typedef struct PJRT_Device PJRT_Device;
typedef struct PJRT_DeviceDescription PJRT_DeviceDescription;
typedef struct PJRT_Memory PJRT_Memory;
typedef struct PJRT_Buffer PJRT_Buffer;
typedef struct PJRT_Executable PJRT_Executable;
typedef struct PJRT_LoadedExecutable PJRT_LoadedExecutable;
typedef struct PJRT_SerializedExecutable PJRT_SerializedExecutable;

// Every entry of the table takes one pointer to an argument struct. Those that can fail return an error or null.

typedef PJRT_Error *_Nullable (*PJRT_Function)(void *_Nonnull arguments);
typedef void (*PJRT_InfallibleFunction)(void *_Nonnull arguments);

// Argument structs. `header` is the caller's size of the struct, then a chain of extensions, which stays null.

typedef struct PJRT_Header {
  size_t struct_size;
  void *_Nullable extension_start;
} PJRT_Header;

// A call on a handle that gives nothing back: destroying, deleting, awaiting.
typedef struct PJRT_Handle_Args {
  PJRT_Header header;
  void *_Nullable handle;
} PJRT_Handle_Args;

// A call on a handle that gives one pointer (or address) back.
typedef struct PJRT_Related_Args {
  PJRT_Header header;
  void *_Nullable handle;
  void *_Nullable related;  // out
} PJRT_Related_Args;

// A call on a handle that gives a text back, which the handle owns and which ends at no zero byte.
typedef struct PJRT_Text_Args {
  PJRT_Header header;
  void *_Nullable handle;
  const char *_Nullable text;  // out
  size_t text_size;            // out
} PJRT_Text_Args;

// A call on a handle that gives a list back, which the handle owns.
typedef struct PJRT_List_Args {
  PJRT_Header header;
  void *_Nullable handle;
  const void *_Nullable elements;  // out
  size_t count;                    // out
} PJRT_List_Args;

// A call on a handle that gives a 32-bit number back: an error's code, a device's id, a buffer's element type.
typedef struct PJRT_Int_Args {
  PJRT_Header header;
  void *_Nullable handle;
  int32_t value;  // out
} PJRT_Int_Args;

// A call on a handle that gives a truth value back.
typedef struct PJRT_Bool_Args {
  PJRT_Header header;
  void *_Nullable handle;
  bool value;  // out
} PJRT_Bool_Args;

// An option of a client, or an attribute of a plugin.

enum {
  PJRT_NamedValue_String = 0,
  PJRT_NamedValue_Int64 = 1,
  PJRT_NamedValue_Int64List = 2,
  PJRT_NamedValue_Float = 3,
  PJRT_NamedValue_Bool = 4,
};

typedef struct PJRT_NamedValue {
  PJRT_Header header;
  const char *_Nullable name;
  size_t name_size;
  int32_t type;
  union {
    const char *_Nullable string_value;
    int64_t int64_value;
    const int64_t *_Nullable int64_array_value;
    float float_value;
    bool bool_value;
  };
  size_t value_size;  // elements of a string or list, 1 for a scalar
} PJRT_NamedValue;

// The plugin.

typedef struct PJRT_Plugin_Initialize_Args {
  PJRT_Header header;
} PJRT_Plugin_Initialize_Args;

typedef struct PJRT_Plugin_Attributes_Args {
  PJRT_Header header;
  const PJRT_NamedValue *_Nullable attributes;  // out, lives as long as the process
  size_t num_attributes;                        // out
} PJRT_Plugin_Attributes_Args;

// Takes over `error`, which may be null.
typedef void (*PJRT_Event_OnReadyCallback)(PJRT_Error *_Nullable error, void *_Nullable user_arg);

typedef struct PJRT_Event_OnReady_Args {
  PJRT_Header header;
  PJRT_Event *_Nullable event;
  PJRT_Event_OnReadyCallback _Nullable callback;
  void *_Nullable user_arg;
} PJRT_Event_OnReady_Args;

// Clients and devices. The key-value callbacks serve several processes at once; they stay null.

typedef struct PJRT_Client_Create_Args {
  PJRT_Header header;
  const PJRT_NamedValue *_Nullable create_options;
  size_t num_options;
  void *_Nullable kv_get_callback;
  void *_Nullable kv_get_user_arg;
  void *_Nullable kv_put_callback;
  void *_Nullable kv_put_user_arg;
  PJRT_Client *_Nullable client;  // out
  void *_Nullable kv_try_get_callback;
  void *_Nullable kv_try_get_user_arg;
} PJRT_Client_Create_Args;

typedef struct PJRT_Device_MemoryStats_Args {
  PJRT_Header header;
  PJRT_Device *_Nullable device;
  int64_t bytes_in_use;  // out, as all that follows; a figure counts only where its `_is_set` does
  int64_t peak_bytes_in_use;
  bool peak_bytes_in_use_is_set;
  int64_t num_allocs;
  bool num_allocs_is_set;
  int64_t largest_alloc_size;
  bool largest_alloc_size_is_set;
  int64_t bytes_limit;
  bool bytes_limit_is_set;
  int64_t bytes_reserved;
  bool bytes_reserved_is_set;
  int64_t peak_bytes_reserved;
  bool peak_bytes_reserved_is_set;
  int64_t bytes_reservable_limit;
  bool bytes_reservable_limit_is_set;
  int64_t largest_free_block_bytes;
  bool largest_free_block_bytes_is_set;
  int64_t pool_bytes;
  bool pool_bytes_is_set;
  int64_t peak_pool_bytes;
  bool peak_pool_bytes_is_set;
} PJRT_Device_MemoryStats_Args;

// Buffers.

enum {
  PJRT_Buffer_Type_PRED = 1,
  PJRT_Buffer_Type_S8 = 2,
  PJRT_Buffer_Type_S16 = 3,
  PJRT_Buffer_Type_S32 = 4,
  PJRT_Buffer_Type_S64 = 5,
  PJRT_Buffer_Type_U8 = 6,
  PJRT_Buffer_Type_U16 = 7,
  PJRT_Buffer_Type_U32 = 8,
  PJRT_Buffer_Type_U64 = 9,
  PJRT_Buffer_Type_F16 = 10,
  PJRT_Buffer_Type_F32 = 11,
  PJRT_Buffer_Type_F64 = 12,
  PJRT_Buffer_Type_BF16 = 13,
};

// How long the plugin may read the host's memory: during the call; until `done_with_host_buffer`; as long as the
// buffer lives.
enum {
  PJRT_HostBufferSemantics_OnlyDuringCall = 0,
  PJRT_HostBufferSemantics_UntilTransferCompletes = 1,
  PJRT_HostBufferSemantics_ImmutableZeroCopy = 2,
};

typedef struct PJRT_Client_BufferFromHostBuffer_Args {
  PJRT_Header header;
  PJRT_Client *_Nullable client;
  const void *_Nullable data;
  int32_t type;
  const int64_t *_Nullable dims;
  size_t num_dims;
  const int64_t *_Nullable byte_strides;  // null: dense, row-major
  size_t num_byte_strides;
  int32_t host_buffer_semantics;
  PJRT_Device *_Nullable device;
  PJRT_Memory *_Nullable memory;
  void *_Nullable device_layout;
  PJRT_Event *_Nullable done_with_host_buffer;  // out, the caller destroys it
  PJRT_Buffer *_Nullable buffer;                // out
} PJRT_Client_BufferFromHostBuffer_Args;

typedef struct PJRT_Buffer_ToHostBuffer_Args {
  PJRT_Header header;
  PJRT_Buffer *_Nullable src;
  void *_Nullable host_layout;
  void *_Nullable dst;
  size_t dst_size;
  PJRT_Event *_Nullable event;  // out
} PJRT_Buffer_ToHostBuffer_Args;

// Programs.

typedef struct PJRT_Program {
  PJRT_Header header;
  const char *_Nullable code;
  size_t code_size;
  const char *_Nullable format;
  size_t format_size;
} PJRT_Program;

typedef struct PJRT_Client_Compile_Args {
  PJRT_Header header;
  PJRT_Client *_Nullable client;
  const PJRT_Program *_Nullable program;
  const char *_Nullable compile_options;  // a serialized CompileOptionsProto
  size_t compile_options_size;
  PJRT_LoadedExecutable *_Nullable executable;  // out
} PJRT_Client_Compile_Args;

typedef struct PJRT_Executable_OutputDimensions_Args {
  PJRT_Header header;
  PJRT_Executable *_Nullable executable;
  size_t num_outputs;
  const int64_t *_Nullable dims;      // out: all outputs' dimensions, one after another
  const size_t *_Nullable dim_sizes;  // out: how many of them each output has
} PJRT_Executable_OutputDimensions_Args;

typedef struct PJRT_Executable_GetCompiledMemoryStats_Args {
  PJRT_Header header;
  PJRT_Executable *_Nullable executable;
  int64_t generated_code_size_in_bytes;  // out, as all that follows
  int64_t argument_size_in_bytes;
  int64_t output_size_in_bytes;
  int64_t alias_size_in_bytes;
  int64_t temp_size_in_bytes;
  int64_t host_generated_code_size_in_bytes;
  int64_t host_argument_size_in_bytes;
  int64_t host_output_size_in_bytes;
  int64_t host_alias_size_in_bytes;
  int64_t host_temp_size_in_bytes;
  int64_t peak_memory_in_bytes;
} PJRT_Executable_GetCompiledMemoryStats_Args;

typedef struct PJRT_Executable_Serialize_Args {
  PJRT_Header header;
  const PJRT_Executable *_Nullable executable;
  const char *_Nullable serialized_bytes;  // out
  size_t serialized_bytes_size;            // out
  PJRT_SerializedExecutable *_Nullable serialized_executable;
  void (*_Nullable serialized_executable_deleter)(PJRT_SerializedExecutable *_Nullable executable);
} PJRT_Executable_Serialize_Args;

typedef struct PJRT_Executable_DeserializeAndLoad_Args {
  PJRT_Header header;
  PJRT_Client *_Nullable client;
  const char *_Nullable serialized_executable;
  size_t serialized_executable_size;
  PJRT_LoadedExecutable *_Nullable loaded_executable;  // out
  const char *_Nullable overridden_serialized_compile_options;
  size_t overridden_serialized_compile_options_size;
} PJRT_Executable_DeserializeAndLoad_Args;

typedef struct PJRT_ExecuteOptions {
  PJRT_Header header;
  void *_Nullable send_callbacks;
  void *_Nullable recv_callbacks;
  size_t num_send_ops;
  size_t num_recv_ops;
  int launch_id;
  const int64_t *_Nullable non_donatable_input_indices;
  size_t num_non_donatable_input_indices;
  void *_Nullable context;
  const char *_Nullable call_location;
  size_t num_tasks;
  int *_Nullable task_ids;
  int64_t *_Nullable incarnation_ids;
} PJRT_ExecuteOptions;

typedef struct PJRT_LoadedExecutable_Execute_Args {
  PJRT_Header header;
  PJRT_LoadedExecutable *_Nullable executable;
  PJRT_ExecuteOptions *_Nullable options;
  PJRT_Buffer *_Nullable const *_Nullable const *_Nullable argument_lists;  // one list a device
  size_t num_devices;
  size_t num_args;
  PJRT_Buffer *_Nullable *_Nullable const *_Nullable output_lists;  // one list a device, filled by the plugin
  PJRT_Event *_Nullable *_Nullable device_complete_events;          // one event a device, filled by the plugin
  PJRT_Device *_Nullable execute_device;
} PJRT_LoadedExecutable_Execute_Args;

// The table. Entries that are never called are `void *`, numbered by their place.

typedef struct PJRT_Api {
  size_t struct_size;
  void *_Nullable extension_start;
  struct {
    size_t struct_size;
    void *_Nullable extension_start;
    int major_version;
    int minor_version;
  } pjrt_api_version;

  PJRT_InfallibleFunction _Nullable PJRT_Error_Destroy;
  PJRT_InfallibleFunction _Nullable PJRT_Error_Message;
  PJRT_Function _Nullable PJRT_Error_GetCode;
  PJRT_Function _Nullable PJRT_Plugin_Initialize;
  PJRT_Function _Nullable PJRT_Plugin_Attributes;
  PJRT_Function _Nullable PJRT_Event_Destroy;
  void *_Nullable slot_7;
  void *_Nullable slot_8;
  PJRT_Function _Nullable PJRT_Event_Await;
  PJRT_Function _Nullable PJRT_Event_OnReady;
  PJRT_Function _Nullable PJRT_Client_Create;
  PJRT_Function _Nullable PJRT_Client_Destroy;
  PJRT_Function _Nullable PJRT_Client_PlatformName;
  void *_Nullable slot_14;
  PJRT_Function _Nullable PJRT_Client_PlatformVersion;
  void *_Nullable slot_16;
  PJRT_Function _Nullable PJRT_Client_AddressableDevices;
  void *_Nullable slot_18;
  void *_Nullable slot_19;
  void *_Nullable slot_20;
  PJRT_Function _Nullable PJRT_Client_Compile;
  void *_Nullable slot_22;
  PJRT_Function _Nullable PJRT_Client_BufferFromHostBuffer;
  PJRT_Function _Nullable PJRT_DeviceDescription_Id;
  void *_Nullable slot_25;
  void *_Nullable slot_26;
  PJRT_Function _Nullable PJRT_DeviceDescription_Kind;
  PJRT_Function _Nullable PJRT_DeviceDescription_DebugString;
  void *_Nullable slot_29;
  PJRT_Function _Nullable PJRT_Device_GetDescription;
  void *_Nullable slot_31;
  void *_Nullable slot_32;
  void *_Nullable slot_33;
  void *_Nullable slot_34;
  PJRT_Function _Nullable PJRT_Device_MemoryStats;
  void *_Nullable slot_36;
  void *_Nullable slot_37;
  void *_Nullable slot_38;
  void *_Nullable slot_39;
  void *_Nullable slot_40;
  PJRT_Function _Nullable PJRT_Executable_Destroy;
  void *_Nullable slot_42;
  void *_Nullable slot_43;
  void *_Nullable slot_44;
  void *_Nullable slot_45;
  void *_Nullable slot_46;
  void *_Nullable slot_47;
  void *_Nullable slot_48;
  void *_Nullable slot_49;
  PJRT_Function _Nullable PJRT_Executable_Serialize;
  PJRT_Function _Nullable PJRT_LoadedExecutable_Destroy;
  PJRT_Function _Nullable PJRT_LoadedExecutable_GetExecutable;
  void *_Nullable slot_53;
  void *_Nullable slot_54;
  void *_Nullable slot_55;
  PJRT_Function _Nullable PJRT_LoadedExecutable_Execute;
  PJRT_Function _Nullable PJRT_Executable_DeserializeAndLoad;
  void *_Nullable slot_58;
  PJRT_Function _Nullable PJRT_Buffer_Destroy;
  void *_Nullable slot_60;
  void *_Nullable slot_61;
  void *_Nullable slot_62;
  void *_Nullable slot_63;
  void *_Nullable slot_64;
  void *_Nullable slot_65;
  void *_Nullable slot_66;
  void *_Nullable slot_67;
  void *_Nullable slot_68;
  PJRT_Function _Nullable PJRT_Buffer_IsDeleted;
  void *_Nullable slot_70;
  PJRT_Function _Nullable PJRT_Buffer_ToHostBuffer;
  void *_Nullable slot_72;
  void *_Nullable slot_73;
  PJRT_Function _Nullable PJRT_Buffer_UnsafePointer;
  void *_Nullable slot_75;
  void *_Nullable slot_76;
  void *_Nullable slot_77;
  void *_Nullable slot_78;
  void *_Nullable slot_79;
  void *_Nullable slot_80;
  void *_Nullable slot_81;
  void *_Nullable slot_82;
  void *_Nullable slot_83;
  void *_Nullable slot_84;
  void *_Nullable slot_85;
  void *_Nullable slot_86;
  void *_Nullable slot_87;
  void *_Nullable slot_88;
  void *_Nullable slot_89;
  void *_Nullable slot_90;
  PJRT_Function _Nullable PJRT_Executable_OutputElementTypes;
  PJRT_Function _Nullable PJRT_Executable_OutputDimensions;
  void *_Nullable slot_93;
  void *_Nullable slot_94;
  void *_Nullable slot_95;
  void *_Nullable slot_96;
  PJRT_Function _Nullable PJRT_Executable_GetCompiledMemoryStats;
} PJRT_Api;

// The one symbol that a plugin exports.
typedef const PJRT_Api *_Nullable (*PJRT_GetApi)(void);
