// The elements of a .npy file as a tensor: every number type of NumPy, in either byte order, in C or Fortran order.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "headrace/tensor.h"

#include "base/result.h"

namespace headrace::serving {

// What a descr such as "<f4" says.
struct NpyElement {
  char kind = 'f';  // as NumPy's: f float, i and u whole numbers, b truth values
  size_t size = 4;
  bool swapped = false;           // of the other byte order than this processor's
  DType dtype = DType::kFloat32;  // what they become: their own type, a wider one, or float32

  // Whether the file's bytes are the tensor's.
  bool plain() const;
};

// Nothing for a type that holds no numbers, or others than those: strings, objects, complex numbers, records.
std::optional<NpyElement> ParseDescr(std::string_view descr);

// `data` holds exactly the elements of `shape`. Fails for a whole number that does not fit its tensor's type.
Result<Tensor> ReadNpyElements(const NpyElement& element, const std::vector<int64_t>& shape, bool fortran,
                               std::string_view data);

}  // namespace headrace::serving
