// The queries of one GetMetricData call, decoded, and their evaluation against the store.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/cloudwatch/expression.h"
#include "api/cloudwatch/statistic.h"
#include "api/cloudwatch/time_series.h"
#include "aws/service.h"
#include "store/meta/metrics.h"

namespace headrace::api::cloudwatch {

struct MetricQuery {
  std::string id;
  std::optional<std::string> label;
  bool return_data = true;
  // Exactly one of the two: a metric…
  std::optional<store::MetricKey> metric;
  Statistic statistic;
  std::string statistic_name;  // as the query has it
  UnixMillis period = 0;
  std::string unit;  // "": any
  // … or an expression.
  ExpressionPtr expression;
};

aws::Reply<std::vector<MetricQuery>> DecodeQueries(const aws::Call& call, const aws::Json& input);

class Evaluation {
 public:
  Evaluation(store::Metrics& metrics, const std::string& account, const std::vector<MetricQuery>& queries,
             UnixMillis from, UnixMillis to)
      : metrics_(metrics), account_(account), queries_(queries), from_(from), to_(to) {}

  // Each query is evaluated once, however often it is referred to.
  aws::Reply<Value> Of(const MetricQuery& query);
  // Whether a SEARCH found more series than it may return.
  bool truncated() const { return truncated_; }

 private:
  aws::Reply<Value> Of(const Expression& expression);
  aws::Reply<Value> OfId(const std::string& id);
  aws::Reply<Value> Call(const Expression& call);
  aws::Reply<Value> MetricsFunction(const Expression& call);
  aws::Reply<Value> Search(const Expression& call);
  aws::Reply<TimeSeries> Read(int64_t series, const Statistic& statistic, UnixMillis period, const std::string& unit);

  store::Metrics& metrics_;
  const std::string account_;
  const std::vector<MetricQuery>& queries_;
  const UnixMillis from_, to_;
  std::map<std::string, Value> known_;
  std::set<std::string> open_;  // being evaluated: a second visit is a circle
  bool truncated_ = false;
};

}  // namespace headrace::api::cloudwatch
