#include <cstring>

#include "headrace/data.h"

#include "base/result.h"

namespace headrace::data {

const Tensor& Element::at(size_t index) const {
  if (index >= components_.size())
    throw MakeError(ErrorCode::kInvalidArgument, "element: found {} components, wanted at least {}", components_.size(),
                    index + 1);
  return components_[index];
}

std::string_view Bytes(const Tensor& tensor) { return {static_cast<const char*>(tensor.raw()), tensor.bytes()}; }

Tensor FromBytes(std::string_view bytes) {
  Tensor tensor(DType::kUInt8, {static_cast<int64_t>(bytes.size())});
  if (!bytes.empty()) std::memcpy(tensor.raw(), bytes.data(), bytes.size());
  return tensor;
}

}  // namespace headrace::data
