// .npy and raw bodies: any bytes become an array or an error; an array is written and read back, in C order as it is,
// and in Fortran order with the other byte order, written here in the plainest way there is.
#include "serving/codec/npy.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace {

using namespace headrace;
using namespace headrace::serving;

// Element by element: the place in Fortran order of the element at place `i` in C order.
size_t FortranPlace(const Shape& shape, size_t i) {
  size_t place = 0, stride = static_cast<size_t>(shape.size());
  for (size_t axis = shape.rank(); axis-- > 0;) {
    const auto dim = static_cast<size_t>(shape[axis]);
    stride /= dim;
    place += i % dim * stride;
    i /= dim;
  }
  return place;
}

std::string WriteForeign(const Tensor& tensor) {
  std::string file = WriteNpy(tensor);
  const size_t size = SizeOf(tensor.dtype()), data = file.size() - tensor.bytes();
  const size_t order = file.find("False"), sign = file.find("'<");
  file.replace(order, 5, "True ");
  if (sign != std::string::npos) file[sign + 1] = '>';
  for (size_t i = 0; i < static_cast<size_t>(tensor.size()); ++i) {
    const char* from = static_cast<const char*>(tensor.raw()) + i * size;
    char* to = file.data() + data + FortranPlace(tensor.shape(), i) * size;
    for (size_t byte = 0; byte < size; ++byte) to[byte] = from[size - 1 - byte];
  }
  return file;
}

void RequireSame(const Result<Tensor>& found, const Tensor& wanted) {
  if (!found || found->shape() != wanted.shape() || found->dtype() != wanted.dtype()) __builtin_trap();
  if (wanted.bytes() > 0 && std::memcmp(found->raw(), wanted.raw(), wanted.bytes()) != 0) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(bytes), size);
  const Signature signature{"s", "", {{"x", DType::kFloat32, {-1, 2}}}, {}};
  (void)NpyInputs(Buffer(file), signature);
  (void)RawInputs(Buffer(file), signature);
  const auto tensor = ParseNpy(file);
  if (!tensor) return 0;
  RequireSame(ParseNpy(WriteNpy(*tensor)), *tensor);
  RequireSame(ParseNpy(WriteForeign(*tensor)), *tensor);
  return 0;
}
