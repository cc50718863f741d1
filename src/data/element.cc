#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "headrace/data.h"

#include "base/result.h"

namespace headrace::data {

const Tensor& Element::at(size_t index) const {
  if (index >= components_.size())
    throw MakeError(ErrorCode::kInvalidArgument, "element: found {} components, wanted at least {}", components_.size(),
                    index + 1);
  return components_[index];
}

Element Element::Named(std::vector<NamedTensor> components) {
  auto names = std::make_shared<std::vector<std::string>>();
  Element element;
  for (auto& [name, tensor] : components) {
    if (!name.empty() && std::find(names->begin(), names->end(), name) != names->end())
      throw MakeError(ErrorCode::kInvalidArgument,
                      "element: found two components named \"{}\", wanted names that differ", name);
    names->push_back(std::move(name));
    element.components_.push_back(std::move(tensor));
  }
  element.names_ = std::move(names);
  return element;
}

bool Element::Has(std::string_view name) const {
  return names_ && !name.empty() && std::find(names_->begin(), names_->end(), name) != names_->end();
}

const std::string& Element::name(size_t index) const {
  static const std::string none;
  return names_ && index < names_->size() ? (*names_)[index] : none;
}

size_t Element::IndexOf(std::string_view name) const {
  if (!Has(name)) {
    const std::string known = names_ ? fmt::format("{}", fmt::join(*names_, ", ")) : "none";
    throw MakeError(ErrorCode::kInvalidArgument, "element: found no component named \"{}\", wanted one of: {}", name,
                    known);
  }
  return static_cast<size_t>(std::find(names_->begin(), names_->end(), name) - names_->begin());
}

Element Element::With(std::vector<Tensor> components) const {
  if (names_ && names_->size() != components.size())
    throw MakeError(ErrorCode::kInvalidArgument, "element: found {} components for {} names", components.size(),
                    names_->size());
  Element element(std::move(components));
  element.names_ = names_;
  return element;
}

void Element::Append(Element other) {
  if (components_.empty()) return void(*this = std::move(other));
  if (names_ || other.names_) {
    std::vector<NamedTensor> all;
    for (size_t i = 0; i < size(); ++i) all.emplace_back(name(i), components_[i]);
    for (size_t i = 0; i < other.size(); ++i) all.emplace_back(other.name(i), other.components_[i]);
    return void(*this = Named(std::move(all)));
  }
  for (Tensor& tensor : other.components_) components_.push_back(std::move(tensor));
}

std::string_view Bytes(const Tensor& tensor) { return {static_cast<const char*>(tensor.raw()), tensor.bytes()}; }

Tensor FromBytes(std::string_view bytes) {
  Tensor tensor(DType::kUInt8, {static_cast<int64_t>(bytes.size())});
  if (!bytes.empty()) std::memcpy(tensor.raw(), bytes.data(), bytes.size());
  return tensor;
}

}  // namespace headrace::data
