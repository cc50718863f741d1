#include "api/sagemaker/operations.h"
#include "api/validation/shape.h"

namespace headrace::api::sagemaker {

// There are no notebook instances: SDKs that ask go on with the caller's own role.
Reply<Json> DescribeNotebookInstance(const SageMakerOptions&, const Call&, const Json& input) {
  static const Shape kShape =
      Shape::Structure({{"NotebookInstanceName", Shape::Text(0, 63, "[a-zA-Z0-9](-*[a-zA-Z0-9])*"), true}});
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  return aws::Refuse("ValidationException", "RecordNotFound");
}

}  // namespace headrace::api::sagemaker
