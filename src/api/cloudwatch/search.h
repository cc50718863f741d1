// SEARCH's query language: which metrics a text finds.
//
//   {/aws/sagemaker/TrainingJobs,TrainingJobName} train:loss TrainingJobName="job-1" NOT MetricName="x"
//
// Braces name a namespace and exactly the dimensions a metric must have. A bare word is looked for, without regard to
// case, as a run of whole words in namespace, metric name, dimension names and values ("train:loss" is the words train
// and loss side by side); NAME=word looks in one of them only; NAME="value" wants exactly that value. Terms join by AND
// (also unwritten), OR, NOT and parentheses.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "aws/error.h"
#include "store/meta/metrics.h"

namespace headrace::api::cloudwatch {

class SearchQuery {
 public:
  // The error says what was found where.
  static aws::Reply<SearchQuery> Parse(std::string_view text);
  bool Matches(const store::MetricKey& key) const;
  // Narrows a listing to what can match at all.
  void Narrow(store::Metrics::SeriesFilter& filter) const;

  struct Node;

 private:
  struct Schema {
    std::string name_space;
    std::set<std::string> dimensions;
  };
  std::optional<Schema> schema_;
  std::shared_ptr<const Node> terms_;  // nullptr: all
};

}  // namespace headrace::api::cloudwatch
