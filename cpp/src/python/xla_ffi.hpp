// What XLA hands to the functions that it calls: the part of its foreign-function interface that is
// used here, as xla/ffi/api/c_api.h lays it out in versions 0.1 to 0.3. Declared once more, so that
// bridle is built without JAX and one build serves all of its versions. Every structure begins with
// the size that it has for XLA; members are only ever added, at the end, unless the major version
// changes. tests/jax/test_layout.py compares it with the header of the JAX that is installed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bridle::xla {

// The versions with which this was compared.
inline constexpr int kMajor = 0, kOldestMinor = 1, kMinor = 3;

enum class ExtensionType : int { metadata = 1 };
enum class ErrorCode : int { invalid_argument = 3, resource_exhausted = 8 };
enum class ValueType : int { buffer = 1 };
enum class AttributeType : int { array = 1, scalar = 3 };
enum class ElementType : int {
  s32 = 4,
  s64 = 5,
  u8 = 6,
  u32 = 8,
  u64 = 9,
  f16 = 10,
  f32 = 11,
  f64 = 12,
  bf16 = 16
};

struct Extension {
  std::size_t size;
  ExtensionType type;
  Extension* next;
};

struct Version {
  std::size_t size;
  Extension* extension;
  int major, minor;
};

struct Error;  // XLA's own

struct ErrorArguments {
  std::size_t size;
  Extension* extension;
  const char* message;
  ErrorCode code;
};

struct Api {
  std::size_t size;
  Extension* extension;
  Version version;
  const void* internal;
  Error* (*create_error)(ErrorArguments*);
  // and more functions
};

struct Buffer {
  std::size_t size;
  Extension* extension;
  ElementType type;
  void* data;
  std::int64_t rank;
  std::int64_t* dimensions;
};

struct Values {
  std::size_t size;
  Extension* extension;
  std::int64_t count;
  ValueType* types;
  void** values;
};

struct Text {
  const char* begin;
  std::size_t size;
};

struct Scalar {
  ElementType type;
  void* value;
};

struct Array {
  ElementType type;
  std::size_t count;
  void* data;
};

struct Attributes {
  std::size_t size;
  Extension* extension;
  std::int64_t count;
  AttributeType* types;
  Text** names;
  void** values;
};

struct CallFrame {
  std::size_t size;
  Extension* extension;
  const Api* api;
  void* context;
  int stage;
  Values arguments, results;
  Attributes attributes;
  // and what asynchronous functions need
};

struct Metadata {
  std::size_t size;
  Version version;
  std::uint32_t traits;
  // and the type of the state, which is zero without one
};

struct MetadataExtension {
  Extension base;
  Metadata* metadata;
};

using Handler = Error*(CallFrame*);

}  // namespace bridle::xla
