#include "tensor/reference/reference_backend.h"

namespace headrace::tensor {

std::unique_ptr<Backend> MakeReferenceBackend() { return std::make_unique<reference::ReferenceBackend>(); }

}  // namespace headrace::tensor
