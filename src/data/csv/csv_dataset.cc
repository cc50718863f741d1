#include <algorithm>

#include "data/csv/table.h"
#include "data/dataset/stage.h"

namespace headrace::data {

Result<std::unique_ptr<CsvTokenizer>> OpenCsv(const std::string& path, const CsvOptions& options, StopFlag stop) {
  HEADRACE_ASSIGN(auto source, OpenBytes(path, options.reader.compression, nullptr, std::move(stop)));
  auto table = std::make_unique<CsvTokenizer>(
      std::move(source), path,
      CsvTokenizer::Rules{.delimiter = options.field_delim,
                          .quotes = options.use_quote_delim,
                          .max_record_bytes = std::min(options.reader.max_record_bytes, kLargestLimit),
                          .buffer_bytes = options.reader.buffer_bytes});
  std::vector<std::string> header;
  if (options.header) HEADRACE_TRY(table->Next(header));
  return table;
}

namespace {

struct CsvNode : Dataset::Node {
  std::vector<std::string> files;
  std::vector<CsvColumn> columns;
  CsvOptions options;

  CsvNode(std::vector<std::string> names, std::vector<CsvColumn> defaults, CsvOptions csv)
      : files(std::move(names)), columns(std::move(defaults)), options(std::move(csv)) {}
  std::unique_ptr<Stage> Start(const Context& context) const override;
  int64_t cardinality() const override { return files.empty() ? 0 : kUnknown; }
};

class CsvStage : public ElementStage {
 public:
  CsvStage(const CsvNode& node, StopFlag stop) : node_(node), stop_(std::move(stop)) {}

  int64_t Skip(int64_t count) override {
    int64_t skipped = 0;
    while (skipped < count && NextRecord()) ++skipped;
    return skipped;
  }

 protected:
  bool PullOne(Element& out) override {
    if (!NextRecord()) return false;
    out = Parse();
    return true;
  }

 private:
  bool NextRecord() {
    while (table_ || next_file_ < node_.files.size()) {
      if (!table_) table_ = ValueOrThrow(OpenCsv(node_.files[next_file_++], node_.options, stop_));
      if (ValueOrThrow(table_->Next(fields_))) return true;
      table_.reset();
    }
    return false;
  }

  Element Parse() const {
    const auto& selected = node_.options.select_cols;
    const size_t wanted = selected.empty() ? node_.columns.size() : static_cast<size_t>(selected.back()) + 1;
    if (selected.empty() ? table_->count() != wanted : table_->count() < wanted)
      throw MakeError(ErrorCode::kDataLoss, "{}: found {} fields, wanted {}{}", table_->Place(), table_->count(),
                      selected.empty() ? "" : "at least ", wanted);
    std::vector<Tensor> values;
    values.reserve(node_.columns.size());
    for (size_t i = 0; i < node_.columns.size(); ++i)
      values.push_back(ParseField(i, selected.empty() ? i : static_cast<size_t>(selected[i])));
    return Element(std::move(values));
  }

  Tensor ParseField(size_t column, size_t place) const {
    const std::string& field = fields_[place];
    const bool empty = field.empty() || (!node_.options.na_value.empty() && field == node_.options.na_value);
    try {
      return node_.columns[column].Parse(field, empty);
    } catch (const Error& error) {
      throw MakeError(ErrorCode::kDataLoss, "{}: field {}: {}", table_->Place(), place + 1, error.message());
    }
  }

  const CsvNode& node_;
  StopFlag stop_;
  size_t next_file_ = 0;
  std::unique_ptr<CsvTokenizer> table_;  // null between two files
  std::vector<std::string> fields_;
};

std::unique_ptr<Stage> CsvNode::Start(const Context& context) const {
  return std::make_unique<CsvStage>(*this, context.stop);
}

}  // namespace

Dataset CsvDataset(std::vector<std::string> files, std::vector<CsvColumn> record_defaults, CsvOptions options) {
  const auto& selected = options.select_cols;
  if (record_defaults.empty())
    throw MakeError(ErrorCode::kInvalidArgument, "CsvDataset: record_defaults: found none, wanted one a column");
  if (!selected.empty() && selected.size() != record_defaults.size())
    throw MakeError(ErrorCode::kInvalidArgument,
                    "CsvDataset: found {} select_cols and {} record_defaults, wanted one each", selected.size(),
                    record_defaults.size());
  for (size_t i = 0; i < selected.size(); ++i)
    if (selected[i] < 0 || (i > 0 && selected[i] <= selected[i - 1]))
      throw MakeError(ErrorCode::kInvalidArgument, "CsvDataset: select_cols: found {}, wanted ascending numbers from 0",
                      selected[i]);
  if (options.use_quote_delim && options.field_delim == '"')
    throw MakeError(ErrorCode::kInvalidArgument, "CsvDataset: field_delim: found a quote, wanted another character");
  return DatasetOf(std::make_shared<CsvNode>(std::move(files), std::move(record_defaults), std::move(options)));
}

}  // namespace headrace::data
