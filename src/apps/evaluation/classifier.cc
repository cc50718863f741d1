#include "apps/evaluation/classifier.h"

#include <algorithm>
#include <sstream>

#include "headrace/data.h"

#include "base/file.h"
#include "base/result.h"

namespace headrace::apps {

std::vector<std::string> ReadClasses(const std::string& file) {
  if (file.empty()) return {data::cifar10::kClassNames.begin(), data::cifar10::kClassNames.end()};
  std::istringstream lines(ValueOrThrow(ReadFile(file, size_t{1} << 24)));
  std::vector<std::string> classes;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) classes.push_back(line);
  }
  return classes;
}

Classifier::Classifier(const std::string& directory, const std::string& classes_file)
    : loaded_(savedmodel::Load(directory)), classes_(ReadClasses(classes_file)) {
  const Shape input = loaded_.model.input_shape(), output = loaded_.model.output_shape();
  if (input.rank() != 4 || input[3] != 3 || output.rank() != 2)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: the model maps {} to {}, wanted images (None, height, width, 3) to scores (None, classes)",
                    loaded_.directory, input.ToString(), output.ToString());
  if (output[1] != static_cast<int64_t>(classes_.size()))
    throw MakeError(ErrorCode::kInvalidArgument, "{}: {} scores for the {} classes of {}; name them with --classes",
                    loaded_.directory, output[1], classes_.size(), classes_file.empty() ? "CIFAR-10" : classes_file);
}

int64_t LargestIndex(const float* values, int64_t count) { return std::max_element(values, values + count) - values; }

}  // namespace headrace::apps
