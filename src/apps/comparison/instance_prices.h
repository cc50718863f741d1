// InstancePrices: what an hour of an instance type costs, as the setting instance-prices says it:
// "ml.m5.large=0.115, ml.c5.xlarge=0.204".
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/result.h"

namespace headrace::apps::comparison {

class InstancePrices {
 public:
  // kInvalidArgument names the entry that is no price.
  static Result<InstancePrices> Parse(const std::string& text);

  std::optional<double> PerHour(const std::string& instance_type) const;
  bool empty() const { return prices_.empty(); }

 private:
  std::map<std::string, double> prices_;
};

}  // namespace headrace::apps::comparison
