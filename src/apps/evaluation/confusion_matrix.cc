#include "apps/evaluation/confusion_matrix.h"

#include <algorithm>
#include <numeric>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace headrace::apps {
namespace {

double Ratio(double numerator, double denominator) { return denominator == 0 ? 0 : numerator / denominator; }

nlohmann::json MetricsJson(const ClassMetrics& metrics) {
  return {
      {"precision", metrics.precision}, {"recall", metrics.recall}, {"f1", metrics.f1}, {"support", metrics.support}};
}

// The first `width` characters of a name, of which each may be several bytes.
std::string Shortened(const std::string& name, size_t width) {
  size_t end = 0;
  for (size_t characters = 0; end < name.size(); ++end) {
    const bool starts = (static_cast<uint8_t>(name[end]) & 0xc0) != 0x80;
    if (starts && characters++ == width) break;
  }
  return name.substr(0, end);
}

size_t LongestName(const ConfusionMatrix& matrix, size_t least) {
  for (const std::string& name : matrix.classes()) least = std::max(least, name.size());
  return std::min<size_t>(least, 24);
}

std::string CountsTable(const ConfusionMatrix& matrix) {
  size_t width = 5;
  for (size_t i = 0; i < matrix.size() * matrix.size(); ++i)
    width = std::max(width, std::to_string(matrix.count(i / matrix.size(), i % matrix.size())).size());
  const size_t label = LongestName(matrix, 6);
  std::string text = "rows: true class, columns: predicted class\n" + std::string(label + 1, ' ');
  for (const std::string& name : matrix.classes()) text += fmt::format(" {:>{}}", Shortened(name, width), width);
  for (size_t truth = 0; truth < matrix.size(); ++truth) {
    text += fmt::format("\n{:<{}} ", Shortened(matrix.classes()[truth], label), label);
    for (size_t predicted = 0; predicted < matrix.size(); ++predicted) {
      const int64_t count = matrix.count(truth, predicted);
      text += fmt::format(" {:>{}}", count == 0 ? "." : std::to_string(count), width);
    }
  }
  return text + "\n";
}

std::string MetricsTable(const ConfusionMatrix& matrix) {
  const size_t label = LongestName(matrix, 13);
  std::string text = fmt::format("{:<{}}  precision  recall      f1  images\n", "class", label);
  const auto row = [&](const std::string& name, const ClassMetrics& m) {
    text += fmt::format("{:<{}}  {:>9.3f}  {:>6.3f}  {:>6.3f}  {:>6}\n", Shortened(name, label), label, m.precision,
                        m.recall, m.f1, m.support);
  };
  for (size_t i = 0; i < matrix.size(); ++i) row(matrix.classes()[i], matrix.Of(i));
  row("macro average", matrix.MacroAverage());
  return text;
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(std::vector<std::string> classes)
    : classes_(std::move(classes)), counts_(classes_.size() * classes_.size()) {}

void ConfusionMatrix::Add(int64_t truth, int64_t predicted) {
  const auto size = static_cast<int64_t>(classes_.size());
  if (truth < 0 || truth >= size || predicted < 0 || predicted >= size)
    throw MakeError(ErrorCode::kInvalidArgument, "true class {} and predicted class {}, wanted 0 to {}", truth,
                    predicted, size - 1);
  ++counts_[static_cast<size_t>(truth * size + predicted)];
}

double ConfusionMatrix::share(size_t truth, size_t predicted) const {
  return Ratio(static_cast<double>(count(truth, predicted)), static_cast<double>(RowSum(truth)));
}

int64_t ConfusionMatrix::total() const { return std::accumulate(counts_.begin(), counts_.end(), int64_t{0}); }

int64_t ConfusionMatrix::correct() const {
  int64_t sum = 0;
  for (size_t i = 0; i < size(); ++i) sum += count(i, i);
  return sum;
}

double ConfusionMatrix::accuracy() const { return Ratio(static_cast<double>(correct()), static_cast<double>(total())); }

ClassMetrics ConfusionMatrix::Of(size_t index) const {
  const auto hits = static_cast<double>(count(index, index));
  const auto predicted = static_cast<double>(ColumnSum(index));
  ClassMetrics metrics;
  metrics.support = RowSum(index);
  metrics.precision = Ratio(hits, predicted);
  metrics.recall = Ratio(hits, static_cast<double>(metrics.support));
  metrics.f1 = Ratio(2 * hits, predicted + static_cast<double>(metrics.support));
  return metrics;
}

ClassMetrics ConfusionMatrix::MacroAverage() const {
  ClassMetrics mean;
  for (size_t i = 0; i < size(); ++i) {
    const ClassMetrics metrics = Of(i);
    mean.precision += metrics.precision / static_cast<double>(size());
    mean.recall += metrics.recall / static_cast<double>(size());
    mean.f1 += metrics.f1 / static_cast<double>(size());
    mean.support += metrics.support;
  }
  return mean;
}

int64_t ConfusionMatrix::RowSum(size_t truth) const {
  int64_t sum = 0;
  for (size_t i = 0; i < size(); ++i) sum += count(truth, i);
  return sum;
}

int64_t ConfusionMatrix::ColumnSum(size_t predicted) const {
  int64_t sum = 0;
  for (size_t i = 0; i < size(); ++i) sum += count(i, predicted);
  return sum;
}

std::string ToText(const ConfusionMatrix& matrix) { return CountsTable(matrix) + "\n" + MetricsTable(matrix); }

nlohmann::json ToJson(const ConfusionMatrix& matrix) {
  nlohmann::json classes = nlohmann::json::array(), rows = nlohmann::json::array();
  for (size_t i = 0; i < matrix.size(); ++i) {
    nlohmann::json entry = MetricsJson(matrix.Of(i));
    entry["name"] = matrix.classes()[i];
    classes.push_back(std::move(entry));
    nlohmann::json row = nlohmann::json::array();
    for (size_t j = 0; j < matrix.size(); ++j) row.push_back(matrix.count(i, j));
    rows.push_back(std::move(row));
  }
  return {{"accuracy", matrix.accuracy()},
          {"images", matrix.total()},
          {"classes", std::move(classes)},
          {"macro_average", MetricsJson(matrix.MacroAverage())},
          {"confusion_matrix", std::move(rows)}};
}

}  // namespace headrace::apps
