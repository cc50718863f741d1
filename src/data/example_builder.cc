#include <algorithm>

#include "headrace/data.h"

#include "data/protobuf_wire.h"

namespace headrace::data {
namespace {

enum Kind : uint32_t { kBytesList = 1, kFloatList = 2, kInt64List = 3 };

std::string Wrap(uint32_t number, std::string_view message) {
  std::string out;
  wire::AppendBytes(out, number, message);
  return out;
}

// A Feature whose list is one packed field; an empty list has no field.
std::string Packed(Kind kind, std::string_view values) {
  return Wrap(kind, values.empty() ? std::string() : Wrap(1, values));
}

}  // namespace

ExampleBuilder& ExampleBuilder::Set(std::string name, std::string feature) {
  const auto place =
      std::lower_bound(features_.begin(), features_.end(), name,
                       [](const auto& entry, const std::string& wanted) { return entry.first < wanted; });
  if (place != features_.end() && place->first == name)
    place->second = std::move(feature);
  else
    features_.insert(place, {std::move(name), std::move(feature)});
  return *this;
}

ExampleBuilder& ExampleBuilder::BytesList(std::string name, const std::vector<std::string_view>& values) {
  std::string list;
  for (const std::string_view value : values) wire::AppendBytes(list, 1, value);
  return Set(std::move(name), Wrap(kBytesList, list));
}

ExampleBuilder& ExampleBuilder::Int64List(std::string name, const std::vector<int64_t>& values) {
  std::string packed;
  for (const int64_t value : values) wire::AppendVarint(packed, static_cast<uint64_t>(value));
  return Set(std::move(name), Packed(kInt64List, packed));
}

ExampleBuilder& ExampleBuilder::FloatList(std::string name, const std::vector<float>& values) {
  const auto* bytes = reinterpret_cast<const char*>(values.data());
  return Set(std::move(name), Packed(kFloatList, {bytes, values.size() * sizeof(float)}));
}

ExampleBuilder& ExampleBuilder::Bytes(std::string name, std::string_view value) {
  return BytesList(std::move(name), {value});
}
ExampleBuilder& ExampleBuilder::Int64(std::string name, int64_t value) { return Int64List(std::move(name), {value}); }
ExampleBuilder& ExampleBuilder::Float(std::string name, float value) { return FloatList(std::move(name), {value}); }

std::string ExampleBuilder::Serialize() const {
  std::string features;
  for (const auto& [name, feature] : features_) {
    std::string entry = Wrap(1, name);
    wire::AppendBytes(entry, 2, feature);
    wire::AppendBytes(features, 1, entry);
  }
  return Wrap(1, features);
}

}  // namespace headrace::data
