#include "apps/client/job_log.h"

namespace headrace::apps {
namespace {

constexpr const char* kJobLogGroup = "/aws/sagemaker/TrainingJobs";

}  // namespace

void JobLog::ForEachNew(const Take& take) {
  const auto streams =
      client_.Call("logs", "DescribeLogStreams", {{"logGroupName", kJobLogGroup}, {"logStreamNamePrefix", job_ + "/"}});
  if (!streams) return;  // no job has written anything yet
  for (const auto& stream : (*streams)["logStreams"]) ReadStream(stream["logStreamName"], take);
}

void JobLog::ReadStream(const std::string& stream, const Take& take) {
  std::string& token = tokens_[stream];
  while (true) {
    nlohmann::json input{{"logGroupName", kJobLogGroup}, {"logStreamName", stream}, {"startFromHead", true}};
    if (!token.empty()) input["nextToken"] = token;
    const auto page = ValueOrThrow(client_.Call("logs", "GetLogEvents", input));
    token = page["nextForwardToken"];
    if (page["events"].empty()) return;
    for (const auto& event : page["events"]) take(stream, event);
  }
}

}  // namespace headrace::apps
