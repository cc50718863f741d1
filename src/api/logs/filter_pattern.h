// The filter patterns of CloudWatch Logs that look at text: terms, which must all occur; ?terms, of which one must;
// -terms, which must not; "quoted phrases" for each of them. Patterns of JSON and of space-delimited fields are
// refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/error.h"

namespace headrace::api::logs {

class FilterPattern {
 public:
  // An empty pattern matches everything.
  static aws::Reply<FilterPattern> Parse(std::string_view pattern);
  bool Matches(std::string_view message) const;

 private:
  std::vector<std::string> all_, any_, none_;
};

}  // namespace headrace::api::logs
