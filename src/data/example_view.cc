#include <cstring>
#include <span>

#include "headrace/data.h"

#include "base/result.h"
#include "data/protobuf_wire.h"

// tensorflow/core/example/{example,feature}.proto:
//   Example { Features features = 1; }   Features { map<string, Feature> feature = 1; }   a map entry: key = 1, value =
//   2 Feature { oneof { BytesList bytes_list = 1; FloatList float_list = 2; Int64List int64_list = 3; } } each list:
//   repeated value = 1, numbers packed or not

namespace headrace::data {
namespace {

using wire::Field;
using wire::Reader;

constexpr uint32_t kLastKind = 3;
constexpr const char* kKindNames[] = {"an empty feature", "bytes", "float", "int64"};

Error Malformed(const char* where) { return MakeError(ErrorCode::kDataLoss, "malformed tf.Example: {}", where); }

Error Malformed(const char* where, std::string_view feature) {
  return MakeError(ErrorCode::kDataLoss, "malformed tf.Example: feature '{}': {}", feature, where);
}

// Calls visit(field) for every length-delimited field `number` of a message; the others are stepped over.
template <typename Visit>
void ForEachMessage(std::string_view message, uint32_t number, const char* what, const Visit& visit) {
  Field field;
  for (Reader reader(message); !reader.done();) {
    if (!reader.ReadField(field)) throw Malformed(what);
    if (field.number == number && field.type == wire::kBytes) visit(field.bytes);
  }
}

// Calls visit(field) for every field `value = 1` of the lists of one kind in a Feature.
template <typename Visit>
void ForEachValue(std::string_view name, std::string_view feature, uint32_t kind, const Visit& visit) {
  ForEachMessage(feature, kind, "Feature", [&](std::string_view list) {
    Field field;
    for (Reader reader(list); !reader.done();) {
      if (!reader.ReadField(field)) throw Malformed("list", name);
      if (field.number == 1) visit(field);
    }
  });
}

template <typename T>
T Load(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

template <typename T>
T Only(std::string_view name, size_t count, const T& value) {
  if (count != 1)
    throw MakeError(ErrorCode::kInvalidArgument, "tf.Example: feature '{}': found {} values, wanted 1", name, count);
  return value;
}

// Takes values as they come; those beyond the room are only counted.
template <typename T>
struct Filler {
  std::span<T> values;
  size_t count = 0;
  void operator()(T value) {
    if (count < values.size()) values[count] = value;
    ++count;
  }
  void Require(std::string_view name) const {
    if (count != values.size())
      throw MakeError(ErrorCode::kInvalidArgument, "tf.Example: feature '{}': found {} values, wanted {}", name, count,
                      values.size());
  }
};

template <typename Visit>
void ForEachBytes(std::string_view name, std::string_view feature, const Visit& visit) {
  ForEachValue(name, feature, 1, [&](const Field& field) {
    if (field.type == wire::kBytes) visit(field.bytes);
  });
}

template <typename Visit>
void ForEachFloat(std::string_view name, std::string_view feature, const Visit& visit) {
  ForEachValue(name, feature, 2, [&](const Field& field) {
    if (field.type == wire::kFixed32) visit(Load<float>(field.bytes));
    if (field.type != wire::kBytes) return;
    if (field.bytes.size() % sizeof(float) != 0) throw Malformed("packed floats of an odd length", name);
    for (size_t i = 0; i < field.bytes.size(); i += sizeof(float)) visit(Load<float>(field.bytes.substr(i)));
  });
}

template <typename Visit>
void ForEachInt64(std::string_view name, std::string_view feature, const Visit& visit) {
  ForEachValue(name, feature, 3, [&](const Field& field) {
    if (field.type == wire::kVarint) visit(static_cast<int64_t>(field.value));
    if (field.type != wire::kBytes) return;
    for (Reader packed(field.bytes); !packed.done();) {
      uint64_t value = 0;
      if (!packed.ReadVarint(value)) throw Malformed("packed integers end early", name);
      visit(static_cast<int64_t>(value));
    }
  });
}

}  // namespace

ExampleView::ExampleView(std::string_view serialized) {
  ForEachMessage(serialized, 1, "Example", [&](std::string_view features) { Parse(features); });
}

void ExampleView::Parse(std::string_view features) {
  ForEachMessage(features, 1, "Features", [&](std::string_view entry) { Add(entry); });
}

void ExampleView::Add(std::string_view entry) {
  Feature feature;
  std::string_view message;
  Field field;
  for (Reader reader(entry); !reader.done();) {
    if (!reader.ReadField(field)) throw Malformed("map entry");
    if (field.type != wire::kBytes) continue;
    if (field.number == 1) feature.name = field.bytes;
    if (field.number == 2) message = field.bytes;
  }
  feature.message = message;
  // A oneof holds what was set last; lists of one kind in a row are merged.
  for (Reader reader(message); !reader.done();) {
    const std::string_view here = reader.rest();
    if (!reader.ReadField(field)) throw Malformed("Feature", feature.name);
    if (field.type != wire::kBytes || field.number == 0 || field.number > kLastKind) continue;
    const auto kind = static_cast<Kind>(field.number);
    if (kind != feature.kind) feature.message = here;
    feature.kind = kind;
  }
  if (const Feature* old = Find(feature.name))
    *const_cast<Feature*>(old) = feature;
  else if (inline_count_ < inline_.size())
    inline_[inline_count_++] = feature;
  else
    overflow_.push_back(feature);
}

const ExampleView::Feature* ExampleView::Find(std::string_view name) const {
  for (size_t i = 0; i < inline_count_; ++i)
    if (inline_[i].name == name) return &inline_[i];
  for (const Feature& feature : overflow_)
    if (feature.name == name) return &feature;
  return nullptr;
}

const ExampleView::Feature& ExampleView::Get(std::string_view name, Kind wanted) const {
  const Feature* feature = Find(name);
  if (feature == nullptr) {
    std::string found;
    for (const auto& each : names()) found.append(found.empty() ? "" : ", ").append(each);
    throw MakeError(ErrorCode::kInvalidArgument, "tf.Example: feature '{}' is missing; found: {}", name,
                    found.empty() ? "none" : found);
  }
  // An empty feature is an empty list of any kind.
  if (feature->kind != wanted && feature->kind != Kind::kNone)
    throw MakeError(ErrorCode::kInvalidArgument, "tf.Example: feature '{}': found {}, wanted {}", name,
                    kKindNames[static_cast<size_t>(feature->kind)], kKindNames[static_cast<size_t>(wanted)]);
  return *feature;
}

std::vector<std::string_view> ExampleView::names() const {
  std::vector<std::string_view> names;
  for (size_t i = 0; i < inline_count_; ++i) names.push_back(inline_[i].name);
  for (const Feature& feature : overflow_) names.push_back(feature.name);
  return names;
}

bool ExampleView::HasList(std::string_view name) const {
  const Feature* feature = Find(name);
  return feature != nullptr && feature->kind != Kind::kNone;
}

bool ExampleView::Has(std::string_view name) const { return Find(name) != nullptr; }

std::string_view ExampleView::Bytes(std::string_view name) const {
  std::string_view last;
  size_t count = 0;
  ForEachBytes(name, Get(name, Kind::kBytes).message, [&](std::string_view value) { last = value, ++count; });
  return Only(name, count, last);
}

int64_t ExampleView::Int64(std::string_view name) const {
  int64_t last = 0;
  size_t count = 0;
  ForEachInt64(name, Get(name, Kind::kInt64).message, [&](int64_t value) { last = value, ++count; });
  return Only(name, count, last);
}

float ExampleView::Float(std::string_view name) const {
  float last = 0;
  size_t count = 0;
  ForEachFloat(name, Get(name, Kind::kFloat).message, [&](float value) { last = value, ++count; });
  return Only(name, count, last);
}

std::vector<std::string_view> ExampleView::BytesList(std::string_view name) const {
  std::vector<std::string_view> values;
  ForEachBytes(name, Get(name, Kind::kBytes).message, [&](std::string_view value) { values.push_back(value); });
  return values;
}

std::vector<int64_t> ExampleView::Int64List(std::string_view name) const {
  std::vector<int64_t> values;
  ForEachInt64(name, Get(name, Kind::kInt64).message, [&](int64_t value) { values.push_back(value); });
  return values;
}

std::vector<float> ExampleView::FloatList(std::string_view name) const {
  std::vector<float> values;
  ForEachFloat(name, Get(name, Kind::kFloat).message, [&](float value) { values.push_back(value); });
  return values;
}

void ExampleView::Int64s(std::string_view name, std::span<int64_t> values) const {
  Filler<int64_t> filler{values};
  ForEachInt64(name, Get(name, Kind::kInt64).message, [&](int64_t value) { filler(value); });
  filler.Require(name);
}

void ExampleView::Floats(std::string_view name, std::span<float> values) const {
  Filler<float> filler{values};
  ForEachFloat(name, Get(name, Kind::kFloat).message, [&](float value) { filler(value); });
  filler.Require(name);
}

}  // namespace headrace::data
