// headrace/data/example.h: tf.train.Example. Included by headrace/data.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headrace/error.h"

namespace headrace::data {

// A serialized tf.train.Example, read in place: views point into the bytes given, which must outlive this object.
// Of two features with one name the last counts, packed and unpacked lists are alike, as protobuf wants it.
// Getters throw kInvalidArgument naming the feature when it is missing, of another kind, or of another count.
class ExampleView {
 public:
  explicit ExampleView(std::string_view serialized);  // kDataLoss when it is no Example

  size_t size() const { return inline_count_ + overflow_.size(); }
  std::vector<std::string_view> names() const;  // in the order of the bytes
  bool Has(std::string_view name) const;
  bool HasList(std::string_view name) const;  // and it says of which kind its values are, be there any or not

  // Of a feature with exactly one value.
  std::string_view Bytes(std::string_view name) const;
  int64_t Int64(std::string_view name) const;
  float Float(std::string_view name) const;

  std::vector<std::string_view> BytesList(std::string_view name) const;
  std::vector<int64_t> Int64List(std::string_view name) const;
  std::vector<float> FloatList(std::string_view name) const;

  // Fills `values` from a feature with exactly as many.
  void Int64s(std::string_view name, std::span<int64_t> values) const;
  void Floats(std::string_view name, std::span<float> values) const;

 private:
  enum class Kind : uint8_t { kNone = 0, kBytes = 1, kFloat = 2, kInt64 = 3 };  // field numbers of Feature's oneof
  struct Feature {
    std::string_view name, message;  // message: the Feature from the field on that decided its kind
    Kind kind = Kind::kNone;
  };
  void Parse(std::string_view features);
  void Add(std::string_view entry);
  const Feature* Find(std::string_view name) const;
  const Feature& Get(std::string_view name, Kind wanted) const;

  std::array<Feature, 8> inline_;  // most examples are small: no allocation for them
  size_t inline_count_ = 0;
  std::vector<Feature> overflow_;
};

// Builds a serialized Example. Features are written in the order of their names, so equal contents give equal bytes.
class ExampleBuilder {
 public:
  ExampleBuilder& Bytes(std::string name, std::string_view value);
  ExampleBuilder& Int64(std::string name, int64_t value);
  ExampleBuilder& Float(std::string name, float value);
  ExampleBuilder& BytesList(std::string name, const std::vector<std::string_view>& values);
  ExampleBuilder& Int64List(std::string name, const std::vector<int64_t>& values);
  ExampleBuilder& FloatList(std::string name, const std::vector<float>& values);
  std::string Serialize() const;

 private:
  ExampleBuilder& Set(std::string name, std::string feature);
  std::vector<std::pair<std::string, std::string>> features_;  // name and serialized Feature, sorted by name
};

}  // namespace headrace::data
