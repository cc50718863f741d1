// What a classifier got right and wrong, counted by class.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace headrace::apps {

// A ratio whose denominator is zero counts as 0.
struct ClassMetrics {
  double precision = 0;  // of those predicted to be of the class, the share that is
  double recall = 0;     // of those of the class, the share predicted to be
  double f1 = 0;         // harmonic mean of the two
  int64_t support = 0;   // samples of the class
};

class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(std::vector<std::string> classes);

  // Both below size(); throws kInvalidArgument otherwise.
  void Add(int64_t truth, int64_t predicted);

  size_t size() const { return classes_.size(); }
  const std::vector<std::string>& classes() const { return classes_; }
  int64_t count(size_t truth, size_t predicted) const { return counts_[truth * size() + predicted]; }
  // Of the samples of a class, the share predicted to be of another; 0 for a class without samples.
  double share(size_t truth, size_t predicted) const;
  int64_t total() const;
  int64_t correct() const;
  double accuracy() const;  // correct / total

  ClassMetrics Of(size_t index) const;
  ClassMetrics MacroAverage() const;  // plain means over the classes; support is total()

 private:
  int64_t RowSum(size_t truth) const;
  int64_t ColumnSum(size_t predicted) const;

  std::vector<std::string> classes_;
  std::vector<int64_t> counts_;  // [truth, predicted]
};

// Two aligned tables: the counts (rows: true class, columns: predicted class; a dot is 0) and the metrics of each
// class.
std::string ToText(const ConfusionMatrix& matrix);

// {"accuracy", "images", "classes": [{"name", "precision", "recall", "f1", "support"}], "macro_average",
//  "confusion_matrix": rows of true classes}
nlohmann::json ToJson(const ConfusionMatrix& matrix);

}  // namespace headrace::apps
