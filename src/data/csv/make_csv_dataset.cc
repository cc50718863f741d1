// MakeCsvDataset(): names and types of columns, then the pipeline that TensorFlow makes of them.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/result.h"
#include "data/csv/table.h"

namespace headrace::data {
namespace {

constexpr const char* kCall = "MakeCsvDataset";

CsvOptions OptionsOf(const MakeCsvOptions& options) {
  return {.header = options.header,
          .field_delim = options.field_delim,
          .use_quote_delim = options.use_quote_delim,
          .na_value = options.na_value,
          .reader = options.reader};
}

std::vector<std::string> ColumnNames(const std::string& file, const MakeCsvOptions& options) {
  std::vector<std::string> names = options.column_names;
  if (names.empty()) {
    if (!options.header)
      throw MakeError(ErrorCode::kInvalidArgument, "{}: found neither a header nor column_names, wanted one", kCall);
    CsvOptions csv = OptionsOf(options);
    csv.header = false;
    const auto table = ValueOrThrow(OpenCsv(file, csv));
    if (!ValueOrThrow(table->Next(names)))
      throw MakeError(ErrorCode::kDataLoss, "{}: {}: found no line, wanted one with the names of columns", kCall, file);
  }
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i].empty() || std::count(names.begin(), names.end(), names[i]) > 1)
      throw MakeError(ErrorCode::kInvalidArgument,
                      "{}: found \"{}\" as the name of column {}, wanted names that differ", kCall, names[i], i + 1);
  return names;
}

size_t PlaceOf(const char* what, const std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw MakeError(ErrorCode::kInvalidArgument, "{}: {}: found \"{}\", wanted one of: {}", kCall, what, name,
                    fmt::join(names, ", "));
  return static_cast<size_t>(found - names.begin());
}

// The columns to read, ascending.
std::vector<int64_t> SelectedColumns(const std::vector<std::string>& names, const MakeCsvOptions& options) {
  std::vector<int64_t> selected;
  for (const std::string& name : options.select_columns)
    selected.push_back(static_cast<int64_t>(PlaceOf("select_columns", names, name)));
  for (size_t i = 0; options.select_columns.empty() && i < names.size(); ++i)
    selected.push_back(static_cast<int64_t>(i));
  std::sort(selected.begin(), selected.end());
  return selected;
}

// What all fields of a column may be: the first of int32, int64, float32, text that suits each.
class TypeGuess {
 public:
  void See(const std::string& field) {
    seen_ = true;
    while (at_ + 1 < kTypes.size() && !Suits(field)) ++at_;
  }
  CsvColumn Column() const {
    switch (seen_ ? kTypes[at_] : DType::kUInt8) {
      case DType::kInt32:
        return int32_t{0};
      case DType::kInt64:
        return int64_t{0};
      case DType::kFloat32:
        return 0.0f;
      default:
        return "";
    }
  }

 private:
  static constexpr std::array kTypes = {DType::kInt32, DType::kInt64, DType::kFloat32, DType::kUInt8};
  bool Suits(const std::string& field) const {
    try {
      CsvColumn(kTypes[at_]).Parse(field, false);
      return true;
    } catch (const Error&) {
      return false;
    }
  }
  size_t at_ = 0;
  bool seen_ = false;
};

std::vector<CsvColumn> GuessColumns(const std::vector<std::string>& files, const std::vector<int64_t>& selected,
                                    size_t columns, const MakeCsvOptions& options) {
  std::vector<TypeGuess> guesses(selected.size());
  std::vector<std::string> fields;
  int64_t rows = 0;
  for (const std::string& file : files) {
    if (rows >= options.num_rows_for_inference) break;
    const auto table = ValueOrThrow(OpenCsv(file, OptionsOf(options)));
    for (; rows < options.num_rows_for_inference && ValueOrThrow(table->Next(fields)); ++rows) {
      if (table->count() != columns)
        throw MakeError(ErrorCode::kDataLoss, "{}: found {} fields, wanted {}", table->Place(), table->count(),
                        columns);
      for (size_t i = 0; i < selected.size(); ++i) {
        const std::string& field = fields[static_cast<size_t>(selected[i])];
        if (!field.empty() && field != options.na_value) guesses[i].See(field);
      }
    }
  }
  std::vector<CsvColumn> found;
  for (const TypeGuess& guess : guesses) found.push_back(guess.Column());
  return found;
}

// Names, and the label at the end.
MapFn Naming(std::vector<std::string> names, size_t label) {
  return [names = std::move(names), label](const Element& row) {
    std::vector<Element::NamedTensor> columns;
    for (size_t i = 0; i < row.size(); ++i)
      if (i != label) columns.emplace_back(names[i], row[i]);
    if (label < row.size()) columns.emplace_back("", row[label]);
    return Element::Named(std::move(columns));
  };
}

std::vector<std::string> FilesOf(const std::string& pattern) {
  std::vector<std::string> files;
  for (const Element& file : Dataset::ListFiles(pattern, {.shuffle = false})) files.emplace_back(Bytes(file.x()));
  return files;
}

}  // namespace

Dataset MakeCsvDataset(const std::string& file_pattern, int64_t batch_size, MakeCsvOptions options) {
  const std::vector<std::string> files = FilesOf(file_pattern);
  const std::vector<std::string> names = ColumnNames(files.front(), options);
  const std::vector<int64_t> selected = SelectedColumns(names, options);
  std::vector<std::string> selected_names;
  for (const int64_t column : selected) selected_names.push_back(names[static_cast<size_t>(column)]);
  const size_t label =
      options.label_name.empty() ? SIZE_MAX : PlaceOf("label_name", selected_names, options.label_name);

  auto columns = options.column_defaults;
  if (columns.empty()) columns = GuessColumns(files, selected, names.size(), options);
  if (columns.size() != selected.size())
    throw MakeError(ErrorCode::kInvalidArgument, "{}: column_defaults: found {}, wanted one for each of {} columns",
                    kCall, columns.size(), selected.size());
  const bool text =
      std::any_of(columns.begin(), columns.end(), [](const CsvColumn& c) { return c.type() == DType::kUInt8; });
  CsvOptions csv = OptionsOf(options);
  if (selected.size() < names.size()) csv.select_cols = selected;

  Dataset file_names = Dataset::FromStrings(files);
  if (options.shuffle)
    file_names = file_names.shuffle(static_cast<int64_t>(files.size()), {.seed = options.shuffle_seed});
  Dataset rows = file_names.flat_map(
      [columns, csv](const Element& file) { return CsvDataset({std::string(Bytes(file.x()))}, columns, csv); });
  if (options.shuffle) rows = rows.shuffle(options.shuffle_buffer_size, {.seed = options.shuffle_seed});
  rows = rows.repeat(options.num_epochs);
  const bool endless = options.num_epochs == kInfinite;
  const Dataset batches = text ? rows.padded_batch(batch_size, {.drop_remainder = endless})
                               : rows.batch(batch_size, {.drop_remainder = endless});
  return batches.map(Naming(std::move(selected_names), label)).prefetch(1);
}

}  // namespace headrace::data
