// headrace/data/element.h: what a Dataset yields, and random numbers. Included by headrace/data.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headrace/tensor.h"

namespace headrace::data {

// What a Dataset yields: a short list of tensors, which may have names, as in a dictionary. A record source yields one
// uint8 tensor [bytes]; parsing turns it into {image, label}; batch() stacks each component along a new first axis.
// Copies share the tensors' bytes, as do a data set in memory and what it yields: write into fresh tensors only.
class Element {
 public:
  using NamedTensor = std::pair<std::string, Tensor>;

  Element() = default;
  Element(Tensor x) { components_.push_back(std::move(x)); }
  Element(Tensor x, Tensor y) {
    components_.reserve(2);
    components_.push_back(std::move(x));
    components_.push_back(std::move(y));
  }
  explicit Element(std::vector<Tensor> components) : components_(std::move(components)) {}
  // Element::Named({{"age", age}, {"city", city}, {"", label}}): an empty name is none. Names must differ.
  static Element Named(std::vector<NamedTensor> components);

  size_t size() const { return components_.size(); }
  const Tensor& operator[](size_t index) const { return components_[index]; }
  Tensor& operator[](size_t index) { return components_[index]; }
  // A component by its name: element["age"]. Throws kInvalidArgument for another name, listing those that there are.
  const Tensor& operator[](std::string_view name) const { return components_[IndexOf(name)]; }
  Tensor& operator[](std::string_view name) { return components_[IndexOf(name)]; }
  bool Has(std::string_view name) const;
  const std::string& name(size_t index) const;  // empty when it has none
  const Tensor& x() const { return at(0); }     // the first component: the model's input
  const Tensor& y() const { return at(1); }     // the second: the target. Both throw when there is none
  const std::vector<Tensor>& components() const { return components_; }

  // Other tensors under the names of these.
  Element With(std::vector<Tensor> components) const;
  // Puts the components of another element behind these, with their names.
  void Append(Element other);

 private:
  const Tensor& at(size_t index) const;
  size_t IndexOf(std::string_view name) const;
  std::vector<Tensor> components_;
  std::shared_ptr<const std::vector<std::string>> names_;  // null, or one name a component
};

// The bytes of a tensor of any type; valid as long as the tensor.
std::string_view Bytes(const Tensor& tensor);
// A uint8 tensor [bytes] with a copy of `bytes`.
Tensor FromBytes(std::string_view bytes);

// A small random number generator (SplitMix64). The same seed gives the same numbers on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next() { return Mix(state_ += 0x9e3779b97f4a7c15u); }
  // Uniform in [0, bound), bound > 0.
  uint64_t Below(uint64_t bound) { return static_cast<uint64_t>(static_cast<Wide>(Next()) * bound >> 64); }
  // Uniform in [0, 1), a multiple of 2^-24.
  float Uniform() { return static_cast<float>(Next() >> 40) * 0x1p-24f; }

  // A bijection of 64-bit words whose every output bit depends on every input bit.
  static uint64_t Mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }

 private:
  __extension__ using Wide = unsigned __int128;
  uint64_t state_;
};

}  // namespace headrace::data
