// The C++ side of test_data_sources.py: elements of a source, one in a line, as JSON: {"name": …, "shape": …, "values":
// …} of every component; bytes in hexadecimal. After an error, a line {"error": …}.
//
//   data_sources csv HEADER DELIMITER NA SELECTED FILE DEFAULT...
//       A default is i:3, l:3, f:1.5, s:text or a type alone, i.
//   data_sources lines FILE...
//   data_sources make_csv FILE BATCH LABEL COLUMNS
//       One epoch, not shuffled.
//   data_sources texts DIRECTORY MODE SEED SPLIT SUBSET
//       An empty SEED does not shuffle.
//   data_sources images DIRECTORY MODE COLOR H W CROP METHOD
//   data_sources series ROWS LENGTH STRIDE RATE START END
//       float32 [ROWS, 2] and int64 targets, counted up.
#include <cmath>
#include <cstdio>
#include <sstream>
#include <string>

#include "headrace/data.h"

namespace {

using namespace headrace;
using namespace headrace::data;
using Arguments = std::vector<std::string>;

// A number as Python's JSON reads it, nan and infinities among them.
std::string NumberOf(const Tensor& tensor, const Tensor& whole, int64_t i) {
  char text[40];
  if (tensor.dtype() != DType::kFloat32) return std::to_string(whole.data<int64_t>()[i]);
  const float value = tensor.data<float>()[i];
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

std::string ValuesOf(const Tensor& tensor) {
  std::string text;
  if (tensor.dtype() == DType::kUInt8) {
    char digits[3];
    for (int64_t i = 0; i < tensor.size(); ++i) {
      std::snprintf(digits, sizeof digits, "%02x", tensor.data<uint8_t>()[i]);
      text += digits;
    }
    return "\"" + text + "\"";
  }
  const Tensor whole = tensor.Cast(DType::kInt64);
  for (int64_t i = 0; i < tensor.size(); ++i) text += (i > 0 ? ", " : "") + NumberOf(tensor, whole, i);
  return "[" + text + "]";
}

void Print(const Element& element) {
  std::printf("[");
  for (size_t i = 0; i < element.size(); ++i) {
    std::string shape;
    for (const int64_t dim : element[i].shape().dims()) shape += (shape.empty() ? "" : ", ") + std::to_string(dim);
    std::printf("%s{\"name\": \"%s\", \"type\": \"%s\", \"shape\": [%s], \"values\": %s}", i > 0 ? ", " : "",
                element.name(i).c_str(), NameOf(element[i].dtype()), shape.c_str(), ValuesOf(element[i]).c_str());
  }
  std::printf("]\n");
}

CsvColumn ColumnOf(const std::string& text) {
  const std::string value = text.size() > 2 ? text.substr(2) : "";
  if (text.size() < 2)
    return text == "i" ? DType::kInt32 : text == "l" ? DType::kInt64 : text == "f" ? DType::kFloat32 : DType::kUInt8;
  if (text[0] == 'i') return static_cast<int32_t>(std::stol(value));
  if (text[0] == 'l') return static_cast<int64_t>(std::stol(value));
  if (text[0] == 'f') return std::stof(value);
  return value;
}

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

Dataset Csv(const Arguments& a) {
  CsvOptions options{.header = a.at(1) == "1", .field_delim = a.at(2).at(0), .na_value = a.at(3)};
  for (const std::string& column : Split(a.at(4))) options.select_cols.push_back(std::stol(column));
  std::vector<CsvColumn> columns;
  for (size_t i = 6; i < a.size(); ++i) columns.push_back(ColumnOf(a[i]));
  return CsvDataset({a.at(5)}, columns, options);
}

Dataset SourceOf(const Arguments& a) {
  const auto number = [&](size_t i) { return std::stol(a.at(i)); };
  if (a.at(0) == "csv") return Csv(a);
  if (a[0] == "lines") return TextLineDataset({a.begin() + 1, a.end()});
  if (a[0] == "make_csv")
    return MakeCsvDataset(a.at(1), number(2),
                          {.label_name = a.at(3), .select_columns = Split(a.at(4)), .num_epochs = 1, .shuffle = false});
  if (a[0] == "texts") {
    TextFolderOptions options{.label_mode = a.at(2), .batch_size = 0, .shuffle = !a.at(3).empty()};
    if (options.shuffle) options.seed = static_cast<uint32_t>(number(3));
    options.validation_split = std::stod(a.at(4));
    options.subset = a.at(5);
    const auto texts = TextDatasetFromDirectory(a.at(1), options);
    for (const std::string& file : texts.file_paths) std::printf("{\"file\": \"%s\"}\n", file.c_str());
    return texts;
  }
  if (a[0] == "images")
    return ImageDatasetFromDirectory(
        a.at(1), {.label_mode = a.at(2),
                  .color_mode = a.at(3),
                  .batch_size = 3,
                  .image_size = {number(4), number(5)},
                  .shuffle = false,
                  .interpolation = a.at(7) == "nearest" ? ResizeMethod::kNearest : ResizeMethod::kBilinear,
                  .crop_to_aspect_ratio = a.at(6) == "1"});
  Tensor rows(DType::kFloat32, {number(1), 2});
  Tensor targets(DType::kInt64, {number(1)});
  for (int64_t i = 0; i < rows.size(); ++i) rows.data<float>()[i] = static_cast<float>(i) / 4;
  for (int64_t i = 0; i < targets.size(); ++i) targets.data<int64_t>()[i] = 100 + i;
  TimeseriesOptions options{
      .sequence_stride = number(3), .sampling_rate = number(4), .batch_size = 4, .start_index = number(5)};
  if (number(6) > 0) options.end_index = number(6);
  return TimeseriesDatasetFromArray(rows, targets, number(2), options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    for (const Element& element : SourceOf(Arguments(argv + 1, argv + argc))) Print(element);
  } catch (const headrace::Error& error) {
    std::printf("{\"error\": true}\n");
    std::fprintf(stderr, "data_sources: %s\n", error.what());
  }
  return 0;
}
