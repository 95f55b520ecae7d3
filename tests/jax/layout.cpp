// What bridle knows of XLA's interface, compared with XLA's own header; compiles if they agree.
#include <cstddef>

#include "python/xla_ffi.hpp"
#include "xla/ffi/api/c_api.h"

namespace xla = bridle::xla;

#define SAME(ours, member, theirs, other)                                 \
  static_assert(offsetof(xla::ours, member) == offsetof(theirs, other) && \
                sizeof(xla::ours::member) == sizeof(theirs::other))

SAME(Extension, size, XLA_FFI_Extension_Base, struct_size);
SAME(Extension, type, XLA_FFI_Extension_Base, type);
SAME(Extension, next, XLA_FFI_Extension_Base, next);
SAME(Version, major, XLA_FFI_Api_Version, major_version);
SAME(Version, minor, XLA_FFI_Api_Version, minor_version);
SAME(ErrorArguments, size, XLA_FFI_Error_Create_Args, struct_size);
SAME(ErrorArguments, extension, XLA_FFI_Error_Create_Args, extension_start);
SAME(ErrorArguments, message, XLA_FFI_Error_Create_Args, message);
SAME(ErrorArguments, code, XLA_FFI_Error_Create_Args, errc);
SAME(Api, version, XLA_FFI_Api, api_version);
SAME(Api, create_error, XLA_FFI_Api, XLA_FFI_Error_Create);
SAME(Buffer, type, XLA_FFI_Buffer, dtype);
SAME(Buffer, data, XLA_FFI_Buffer, data);
SAME(Buffer, rank, XLA_FFI_Buffer, rank);
SAME(Buffer, dimensions, XLA_FFI_Buffer, dims);
SAME(Values, count, XLA_FFI_Args, size);
SAME(Values, types, XLA_FFI_Args, types);
SAME(Values, values, XLA_FFI_Args, args);
SAME(Values, count, XLA_FFI_Rets, size);
SAME(Values, types, XLA_FFI_Rets, types);
SAME(Values, values, XLA_FFI_Rets, rets);
SAME(Text, begin, XLA_FFI_ByteSpan, ptr);
SAME(Text, size, XLA_FFI_ByteSpan, len);
SAME(Array, type, XLA_FFI_Array, dtype);
SAME(Array, count, XLA_FFI_Array, size);
SAME(Array, data, XLA_FFI_Array, data);
SAME(Attributes, count, XLA_FFI_Attrs, size);
SAME(Attributes, types, XLA_FFI_Attrs, types);
SAME(Attributes, names, XLA_FFI_Attrs, names);
SAME(Attributes, values, XLA_FFI_Attrs, attrs);
SAME(CallFrame, size, XLA_FFI_CallFrame, struct_size);
SAME(CallFrame, extension, XLA_FFI_CallFrame, extension_start);
SAME(CallFrame, api, XLA_FFI_CallFrame, api);
SAME(CallFrame, stage, XLA_FFI_CallFrame, stage);
SAME(CallFrame, arguments, XLA_FFI_CallFrame, args);
SAME(CallFrame, results, XLA_FFI_CallFrame, rets);
SAME(CallFrame, attributes, XLA_FFI_CallFrame, attrs);
SAME(Metadata, version, XLA_FFI_Metadata, api_version);
SAME(Metadata, traits, XLA_FFI_Metadata, traits);
SAME(MetadataExtension, base, XLA_FFI_Metadata_Extension, extension_base);
SAME(MetadataExtension, metadata, XLA_FFI_Metadata_Extension, metadata);

#define EQUAL(ours, theirs) static_assert(static_cast<int>(xla::ours) == static_cast<int>(theirs))

EQUAL(ExtensionType::metadata, XLA_FFI_Extension_Metadata);
EQUAL(ErrorCode::invalid_argument, XLA_FFI_Error_Code_INVALID_ARGUMENT);
EQUAL(ErrorCode::resource_exhausted, XLA_FFI_Error_Code_RESOURCE_EXHAUSTED);
EQUAL(ValueType::buffer, XLA_FFI_ArgType_BUFFER);
EQUAL(AttributeType::array, XLA_FFI_AttrType_ARRAY);
EQUAL(ElementType::s32, XLA_FFI_DataType_S32);
EQUAL(ElementType::s64, XLA_FFI_DataType_S64);
EQUAL(ElementType::u8, XLA_FFI_DataType_U8);
EQUAL(ElementType::u32, XLA_FFI_DataType_U32);
EQUAL(ElementType::u64, XLA_FFI_DataType_U64);
EQUAL(ElementType::f16, XLA_FFI_DataType_F16);
EQUAL(ElementType::f32, XLA_FFI_DataType_F32);
EQUAL(ElementType::f64, XLA_FFI_DataType_F64);
EQUAL(ElementType::bf16, XLA_FFI_DataType_BF16);

// A major version of its own means that members may have moved.
static_assert(xla::kMajor == XLA_FFI_API_MAJOR);
