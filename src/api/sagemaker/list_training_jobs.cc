#include "api/input.h"
#include "api/sagemaker/operations.h"
#include "api/validation/shape.h"
#include "aws/page_token.h"
#include "store/meta/training_jobs.h"

namespace headrace::api::sagemaker {
namespace {

constexpr const char* kListing = "ListTrainingJobs";
constexpr int64_t kDefaultPage = 10;

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

store::TrainingJobOrder OrderOf(const std::string& sort_by) {
  if (sort_by == "Name") return store::TrainingJobOrder::kName;
  if (sort_by == "Status") return store::TrainingJobOrder::kStatus;
  return store::TrainingJobOrder::kCreationTime;
}

Reply<store::TrainingJobFilter> FilterOf(const Call& call, const Json& input) {
  store::TrainingJobFilter filter;
  filter.account_id = call.caller.account_id;
  filter.name_contains = TextOr(input, "NameContains");
  if (const auto status = TextOr(input, "StatusEquals"); !status.empty()) filter.statuses = {status};
  filter.created_after = TimeIn(input, "CreationTimeAfter");
  filter.created_before = TimeIn(input, "CreationTimeBefore");
  filter.modified_after = TimeIn(input, "LastModifiedTimeAfter");
  filter.modified_before = TimeIn(input, "LastModifiedTimeBefore");
  filter.order = OrderOf(TextOr(input, "SortBy"));
  filter.descending = TextOr(input, "SortOrder") == "Descending";
  if (const auto token = TextOr(input, "NextToken"); !token.empty()) {
    HEADRACE_REPLY_PASS(const auto position, aws::ReadPageToken(kListing, token));
    const size_t blank = position.find(' ');  // "SEQUENCE KEY"
    if (blank == std::string::npos) return aws::Refuse("ValidationException", "NextToken is not one of ours");
    filter.after = store::TrainingJobCursor{position.substr(blank + 1),
                                            std::strtoll(position.substr(0, blank).c_str(), nullptr, 10)};
  }
  return filter;
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

  HEADRACE_REPLY_PASS(auto filter, FilterOf(call, input));
  const auto page = static_cast<size_t>(IntegerOr(input, "MaxResults", kDefaultPage));
  filter.limit = page + 1;  // one more tells whether there is a next page
  HEADRACE_REPLY(auto jobs, store::TrainingJobs(options.database).List(filter));
  if (jobs.size() > page) {
    jobs.pop_back();
    const auto cursor = store::TrainingJobs::CursorOf(jobs.back(), filter.order);
    reply["NextToken"] = aws::MakePageToken(kListing, std::to_string(cursor.sequence) + " " + cursor.key);
  }
  for (const auto& job : jobs) reply["TrainingJobSummaries"].push_back(Summary(job));
  return reply;
}

}  // namespace headrace::api::sagemaker
