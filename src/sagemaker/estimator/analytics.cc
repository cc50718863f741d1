#include <algorithm>

#include "aws/time.h"
#include "base/clock.h"
#include "sagemaker/estimator/endpoint.h"

namespace headrace::sagemaker {
namespace {

constexpr const char* kNamespace = "/aws/sagemaker/TrainingJobs";
constexpr int kPeriodSeconds = 60;

MetricSeries SeriesOf(const Session& session, const Json& input, const std::string& name, double start) {
  MetricSeries series{name, {}};
  const Json reply = CallWith(session.cloudwatch(), "GetMetricStatistics", input);
  for (const Json& point : ListMember(reply, "Datapoints"))
    series.points.push_back({NumberMember(point, "Timestamp") - start, NumberMember(point, "Average")});
  std::sort(series.points.begin(), series.points.end(),
            [](const MetricSeries::Point& a, const MetricSeries::Point& b) { return a.timestamp < b.timestamp; });
  return series;
}

}  // namespace

std::vector<MetricSeries> JobMetrics(const Session& session, const Json& job, const std::vector<std::string>& names) {
  std::vector<std::string> wanted = names;
  if (wanted.empty()) {
    for (const Json& definition : ListMember(ObjectMember(job, "AlgorithmSpecification"), "MetricDefinitions"))
      wanted.push_back(TextMember(definition, "Name"));
  }
  const double now = static_cast<double>(SystemClock().Now()) / 1000;
  const double start = NumberMember(job, "TrainingStartTime", NumberMember(job, "CreationTime"));
  const double end = NumberMember(job, "TrainingEndTime", now) + kPeriodSeconds;
  const Json dimensions = Json::array({{{"Name", "TrainingJobName"}, {"Value", TextMember(job, "TrainingJobName")}}});
  std::vector<MetricSeries> all;
  for (const std::string& name : wanted) {
    const Json input{{"Namespace", kNamespace},
                     {"MetricName", name},
                     {"Dimensions", dimensions},
                     {"StartTime", start},
                     {"EndTime", end},
                     {"Period", kPeriodSeconds},
                     {"Statistics", Json::array({"Average"})}};
    all.push_back(SeriesOf(session, input, name, start));
  }
  return all;
}

}  // namespace headrace::sagemaker
