// GetMetricData's expressions as trees: arithmetic, comparisons and functions over the ids of other queries.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/error.h"

namespace headrace::api::cloudwatch {

struct Expression {
  enum class Kind { kNumber, kText, kId, kNegate, kOperator, kCall };
  Kind kind = Kind::kNumber;
  double number = 0;
  std::string text;  // a quoted text; an id; an operator ("+", "<=", "AND"); a function's name in capitals
  std::vector<std::shared_ptr<const Expression>> operands;
};
using ExpressionPtr = std::shared_ptr<const Expression>;

// Precedence from loose to tight: OR, AND, comparisons, + -, * / %, unary -, ^ (from the right).
aws::Reply<ExpressionPtr> ParseExpression(std::string_view text);

}  // namespace headrace::api::cloudwatch
