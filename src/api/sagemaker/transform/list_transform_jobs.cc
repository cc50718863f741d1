#include "api/input.h"
#include "api/sagemaker/listing.h"
#include "api/sagemaker/transform/operations.h"

namespace headrace::api::sagemaker {
namespace {

constexpr const char* kTransformListing = "ListTransformJobs";

Shape TransformListShape() {
  return Shape::Structure({{"NextToken", Shape::Text(0, 8192, ".*")},
                           {"MaxResults", Shape::Integer(1, 100)},
                           {"CreationTimeAfter", Shape::Timestamp()},
                           {"CreationTimeBefore", Shape::Timestamp()},
                           {"LastModifiedTimeAfter", Shape::Timestamp()},
                           {"LastModifiedTimeBefore", Shape::Timestamp()},
                           {"NameContains", Shape::Text(0, 63, R"([a-zA-Z0-9\-]+)")},
                           {"StatusEquals", Shape::Enum({"InProgress", "Completed", "Failed", "Stopping", "Stopped"})},
                           {"SortBy", Shape::Enum({"Name", "CreationTime", "Status"})},
                           {"SortOrder", Shape::Enum({"Ascending", "Descending"})}});
}

Json TransformSummary(const store::TransformJob& job) {
  Json summary{{"TransformJobName", job.name},
               {"TransformJobArn", job.arn},
               {"CreationTime", Seconds(job.created)},
               {"LastModifiedTime", Seconds(job.modified)},
               {"TransformJobStatus", job.status}};
  if (job.transform_end != 0) summary["TransformEndTime"] = Seconds(job.transform_end);
  if (!job.failure_reason.empty()) summary["FailureReason"] = job.failure_reason;
  return summary;
}

}  // namespace

Reply<Json> ListTransformJobs(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = TransformListShape();
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(auto filter, ListingFilter(kTransformListing, call, input, "Descending"));
  AddStatusFilters(input, filter);
  HEADRACE_REPLY(auto jobs, store::TransformJobs(options.database).List(filter));
  Json reply{{"TransformJobSummaries", Json::array()}};
  CutPage(kTransformListing, filter, jobs, reply);
  for (const auto& job : jobs) reply["TransformJobSummaries"].push_back(TransformSummary(job));
  return reply;
}

}  // namespace headrace::api::sagemaker
