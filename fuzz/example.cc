// Reads every feature as every kind, then writes what was found and reads it again: the contents must be the same.
#include <cstring>

#include "headrace/data.h"

namespace {

using headrace::Error;
using headrace::data::ExampleBuilder;
using headrace::data::ExampleView;

template <typename Read>
bool Readable(const Read& read) {
  try {
    read();
    return true;
  } catch (const Error&) {
    return false;
  }
}

void Check(bool holds) {
  if (!holds) __builtin_trap();
}

void CheckFeature(const ExampleView& view, std::string_view name) {
  const std::string key(name);
  Readable([&] { (void)view.Bytes(name); });
  Readable([&] { (void)view.Int64(name); });
  Readable([&] { (void)view.Float(name); });
  std::vector<std::string_view> texts;
  if (Readable([&] { texts = view.BytesList(name); })) {
    const std::string again = ExampleBuilder().BytesList(key, texts).Serialize();
    Check(ExampleView(again).BytesList(name) == texts);
  }
  std::vector<int64_t> numbers;
  if (Readable([&] { numbers = view.Int64List(name); })) {
    const std::string again = ExampleBuilder().Int64List(key, numbers).Serialize();
    Check(ExampleView(again).Int64List(name) == numbers);
  }
  std::vector<float> floats;
  if (Readable([&] { floats = view.FloatList(name); })) {
    const std::string again = ExampleBuilder().FloatList(key, floats).Serialize();
    const auto read = ExampleView(again).FloatList(name);
    Check(read.size() == floats.size());
    Check(floats.empty() || std::memcmp(read.data(), floats.data(), floats.size() * sizeof(float)) == 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  try {
    const ExampleView view({reinterpret_cast<const char*>(bytes), size});
    for (const auto name : view.names()) CheckFeature(view, name);
  } catch (const Error&) {
  }
  return 0;
}
