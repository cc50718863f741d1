#include <fmt/format.h>

#include "api/input.h"
#include "api/sagemaker/hosting/shapes.h"
#include "api/sagemaker/request.h"
#include "api/sagemaker/transform/operations.h"
#include "http/message.h"
#include "jobs/request/instance_types.h"
#include "jobs/transform/json_path.h"
#include "jobs/transform/transform_settings.h"

namespace headrace::api::sagemaker {
namespace {

constexpr int64_t kMostMegabytes = 100;  // of all payloads that an instance is asked about at a time

void CheckPayloads(const Json& request, Violations& violations) {
  const int64_t concurrent = IntegerOr(request, "MaxConcurrentTransforms", 0);
  const int64_t payload = IntegerOr(request, "MaxPayloadInMB", 0);
  if (payload <= 0 || concurrent <= kMostMegabytes / payload) return;
  violations.Add("maxConcurrentTransforms", concurrent,
                 fmt::format("MaxConcurrentTransforms * MaxPayloadInMB must be less than or equal to {}, found {} * {}",
                             kMostMegabytes, concurrent, payload));
}

void CheckFilter(const Json& processing, const char* member, const char* path, Violations& violations) {
  const std::string text = TextOr(processing, member, "$");
  if (const auto parsed = jobs::JsonPath::Parse(text); !parsed) violations.Add(path, text, parsed.error().message());
}

void CheckProcessing(const Json& request, Violations& violations) {
  const auto processing = request.find("DataProcessing");
  if (processing == request.end()) return;
  CheckFilter(*processing, "InputFilter", "dataProcessing.inputFilter", violations);
  CheckFilter(*processing, "OutputFilter", "dataProcessing.outputFilter", violations);
  const bool joins = TextOr(*processing, "JoinSource", "None") == "Input";
  const bool filters =
      TextOr(*processing, "InputFilter", "$") != "$" || TextOr(*processing, "OutputFilter", "$") != "$";
  if (!joins && !filters) return;
  const std::string content = TextOr(request["TransformInput"], "ContentType");
  if (!jobs::IsProcessable(content))
    violations.Add("transformInput.contentType", content.empty() ? Json() : Json(content),
                   "Member must be one of text/csv, application/json and application/jsonlines where DataProcessing is "
                   "used");
  const std::string accept = TextOr(request["TransformOutput"], "Accept");
  if (!accept.empty() && http::MediaType(accept) != http::MediaType(content))
    violations.Add("transformOutput.accept", accept,
                   "Member must be the same as transformInput.contentType where DataProcessing is used");
  const std::string split = TextOr(request["TransformInput"], "SplitType", "None");
  if (split == "RecordIO" || split == "TFRecord")
    violations.Add("transformInput.splitType", split, "Member must be None or Line where DataProcessing is used");
}

}  // namespace

void CheckTransformJob(const Json& request, Violations& violations) {
  RefuseMembers(jobs::EffectsOf(jobs::TransformJobMembers(), request), violations);
  const Json resources = request.value("TransformResources", Json::object());
  const std::string type = TextOr(resources, "InstanceType");
  if ((type.starts_with("ml.") || type == "local") && !jobs::SizeOfInstance(type))
    violations.Add("transformResources.instanceType", type,
                   "Member must name an instance type of a known family and size, for example ml.m5.xlarge");
  CheckPayloads(request, violations);
  if (request.contains("TransformInput") && request.contains("TransformOutput")) CheckProcessing(request, violations);
  CheckTagKeys(request, violations);
}

}  // namespace headrace::api::sagemaker
