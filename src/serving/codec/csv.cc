#include "serving/codec/csv.h"

#include <algorithm>
#include <charconv>

namespace headrace::serving {
namespace {

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t' || text.front() == '\r')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trimmed(text.substr(0, end));
    if (!line.empty()) lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

Status ParseLine(std::string_view line, size_t number, int64_t wanted, float* out) {
  int64_t count = 0;
  while (true) {
    const size_t end = std::min(line.find(','), line.size());
    std::string_view field = Trimmed(line.substr(0, end));
    if (!field.empty() && field[0] == '+') field.remove_prefix(1);
    if (count == wanted)
      return Fail(ErrorCode::kInvalidArgument, "text/csv: line {} has more than {} fields", number, wanted);
    const auto [rest, error] = std::from_chars(field.data(), field.data() + field.size(), out[count]);
    if (error == std::errc::invalid_argument || rest != field.data() + field.size() || field.empty())
      return Fail(ErrorCode::kInvalidArgument, "text/csv: field {} of line {} is '{}', wanted a number", count + 1,
                  number, field.substr(0, 40));
    ++count;
    if (end == line.size()) break;
    line.remove_prefix(end + 1);
  }
  if (count != wanted)
    return Fail(ErrorCode::kInvalidArgument, "text/csv: line {} has {} fields, wanted {}", number, count, wanted);
  return {};
}

}  // namespace

Result<PredictInputs> CsvInputs(std::string_view text, const Signature& signature) {
  if (signature.inputs.size() != 1)
    return Fail(ErrorCode::kInvalidArgument, "text/csv: it carries one tensor, the signature has {} inputs; send JSON",
                signature.inputs.size());
  const TensorInfo& input = signature.inputs[0];
  if (signature.TakesStrings(0))
    return Fail(ErrorCode::kInvalidArgument, "text/csv: input '{}' is strings; send JSON", input.name);
  const std::vector<std::string_view> lines = Lines(text);
  if (lines.empty()) return Fail(ErrorCode::kInvalidArgument, "text/csv: no line");
  const int64_t row = RowElements(input.shape);
  // A line holds a number and a comma for each element, so memory follows the body's size.
  for (size_t i = 0; i < lines.size(); ++i)
    if (static_cast<int64_t>(lines[i].size()) < 2 * row - 1)
      return Fail(ErrorCode::kInvalidArgument, "text/csv: line {} has fewer than {} fields", i + 1, row);
  Tensor tensor(DType::kFloat32, WithRows(input.shape, static_cast<int64_t>(lines.size())));
  for (size_t i = 0; i < lines.size(); ++i)
    HEADRACE_TRY(ParseLine(lines[i], i + 1, row, tensor.data<float>() + static_cast<int64_t>(i) * row));
  if (input.dtype == DType::kUInt8)
    for (int64_t i = 0; i < tensor.size(); ++i)
      if (const float value = tensor.data<float>()[i]; !(value >= 0 && value <= 255))
        return Fail(ErrorCode::kInvalidArgument, "text/csv: {} for input '{}', wanted 0 to 255", value, input.name);
  PredictInputs inputs;
  inputs.tensors.push_back(tensor.Cast(input.dtype));
  return inputs;
}

}  // namespace headrace::serving
