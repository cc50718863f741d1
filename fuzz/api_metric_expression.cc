// Parses a CloudWatch expression and a SEARCH query, and computes with what came out: no text may crash, hang or answer
// without end.
#include <string_view>

#include "api/cloudwatch/expression.h"
#include "api/cloudwatch/search.h"
#include "api/cloudwatch/time_series.h"

namespace {

using namespace headrace::api::cloudwatch;

// An expression's value with every id standing for the same short series.
headrace::aws::Reply<Value> Evaluate(const Expression& expression) {
  switch (expression.kind) {
    case Expression::Kind::kNumber:
      return Value(expression.number);
    case Expression::Kind::kText:
    case Expression::Kind::kId:
      return Value(TimeSeries{"s", 60'000, {{0, 1.0}, {60'000, 0.0}, {240'000, -2.5}}});
    case Expression::Kind::kNegate: {
      auto value = Evaluate(*expression.operands[0]);
      return value ? headrace::aws::Reply<Value>(Negate(*value)) : value;
    }
    case Expression::Kind::kOperator: {
      const auto left = Evaluate(*expression.operands[0]), right = Evaluate(*expression.operands[1]);
      if (!left) return left;
      return right ? Combine(expression.text, *left, *right) : right;
    }
    case Expression::Kind::kCall:
      break;
  }
  std::vector<Argument> arguments;
  for (const auto& operand : expression.operands) {
    Argument argument;
    argument.is_text = operand->kind == Expression::Kind::kText;
    argument.text = operand->text;
    auto value = Evaluate(*operand);
    if (!value) return value;
    argument.value = *value;
    arguments.push_back(std::move(argument));
  }
  return CallFunction(expression.text, arguments);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size < 2048 ? size : 2048);
  if (const auto expression = ParseExpression(text)) (void)Evaluate(**expression);
  if (const auto query = SearchQuery::Parse(text)) {
    headrace::store::Metrics::SeriesFilter filter;
    query->Narrow(filter);
    (void)query->Matches({"1", "/aws/sagemaker/TrainingJobs", "train:loss", {{"TrainingJobName", "job-1"}}});
  }
  return 0;
}
