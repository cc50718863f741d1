#include "api/input.h"
#include "api/sagemaker/listing.h"
#include "api/validation/shape.h"
#include "store/meta/training_jobs.h"

namespace headrace::api::sagemaker {
namespace {

constexpr const char* kListing = "ListTrainingJobs";

Shape ListShape() {
  return Shape::Structure(
      {{"NextToken", Shape::Text(0, 8192, ".*")},
       {"MaxResults", Shape::Integer(1, 100)},
       {"CreationTimeAfter", Shape::Timestamp()},
       {"CreationTimeBefore", Shape::Timestamp()},
       {"LastModifiedTimeAfter", Shape::Timestamp()},
       {"LastModifiedTimeBefore", Shape::Timestamp()},
       {"NameContains", Shape::Text(0, 63, R"([a-zA-Z0-9\-]+)")},
       {"StatusEquals", Shape::Enum({"InProgress", "Completed", "Failed", "Stopping", "Stopped", "Deleting"})},
       {"SortBy", Shape::Enum({"Name", "CreationTime", "Status"})},
       {"SortOrder", Shape::Enum({"Ascending", "Descending"})},
       {"WarmPoolStatusEquals", Shape::Enum({"Available", "Terminated", "Reused", "InUse"})}});
}

Json Summary(const store::TrainingJob& job) {
  Json summary{{"TrainingJobName", job.name},          {"TrainingJobArn", job.arn},
               {"CreationTime", Seconds(job.created)}, {"LastModifiedTime", Seconds(job.modified)},
               {"TrainingJobStatus", job.status},      {"SecondaryStatus", job.secondary_status}};
  if (job.training_end != 0) summary["TrainingEndTime"] = Seconds(job.training_end);
  return summary;
}

}  // namespace

Reply<Json> ListTrainingJobs(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = ListShape();
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  Json reply{{"TrainingJobSummaries", Json::array()}};
  // No job here has a warm pool.
  if (input.contains("WarmPoolStatusEquals") || input.contains("TrainingPlanArnEquals")) return reply;

  HEADRACE_REPLY_PASS(auto filter, ListingFilter(kListing, call, input, "Ascending"));
  AddStatusFilters(input, filter);
  HEADRACE_REPLY(auto jobs, store::TrainingJobs(options.database).List(filter));
  CutPage(kListing, filter, jobs, reply);
  for (const auto& job : jobs) reply["TrainingJobSummaries"].push_back(Summary(job));
  return reply;
}

}  // namespace headrace::api::sagemaker
