// headrace/data/csv.h: tables in text files, as tf.data.experimental reads them. Included by headrace/data.h.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "headrace/data/dataset.h"
#include "headrace/tensor.h"

namespace headrace::data {

// A column's type, and what an empty field of it is. Of a type alone, no field may be empty: CsvColumn(DType::kInt32).
// Text is uint8 [bytes].
class CsvColumn {
 public:
  CsvColumn(DType type);  // float32, int32, int64, or uint8 for text; throws kInvalidArgument for another
  template <std::floating_point T>
  CsvColumn(T value) : type_(DType::kFloat32), value_(static_cast<float>(value)) {}
  CsvColumn(int32_t value) : type_(DType::kInt32), value_(int64_t{value}) {}
  CsvColumn(int64_t value) : type_(DType::kInt64), value_(value) {}
  CsvColumn(const char* value) : CsvColumn(std::string(value)) {}
  CsvColumn(std::string value) : type_(DType::kUInt8), value_(std::move(value)) {}

  DType type() const { return type_; }
  // Of one field; throws kInvalidArgument for one that is no value of the type, or empty where there is no default.
  // `empty`: it is, or stands for that.
  Tensor Parse(const std::string& field, bool empty) const;

 private:
  DType type_;
  std::variant<std::monostate, float, int64_t, std::string> value_;
};

struct CsvOptions {
  bool header = false;  // the first line of each file is none of its records
  char field_delim = ',';
  bool use_quote_delim = true;            // "…" around fields that have delimiters, quotes ("") or line ends in them
  std::string na_value;                   // another text that means an empty field
  std::vector<int64_t> select_cols = {};  // the columns that `record_defaults` are about, ascending; empty: all
  ReaderOptions reader = {};              // compression, and the most bytes of a record
};
// A scalar a column. Throws kDataLoss, naming file and record, for one with another number of fields, for quotes inside
// fields without quotes, and for fields that are no value of their column.
Dataset CsvDataset(std::vector<std::string> files, std::vector<CsvColumn> record_defaults, CsvOptions options = {});

struct MakeCsvOptions {
  std::vector<std::string> column_names = {};    // empty: the first line of the first file has them
  std::vector<CsvColumn> column_defaults = {};   // one for each (selected) column; empty: as the first rows suggest
  std::string label_name;                        // the column that comes last, as the target; empty: none
  std::vector<std::string> select_columns = {};  // empty: all
  char field_delim = ',';
  bool use_quote_delim = true;
  std::string na_value;
  bool header = true;
  int64_t num_epochs = kInfinite;  // and without an end no last batch that is smaller
  bool shuffle = true;
  int64_t shuffle_buffer_size = 10000;
  uint64_t shuffle_seed = 0;
  int64_t num_rows_for_inference = 100;
  ReaderOptions reader = {};
};
// Batches of columns under their names, element["age"] being float32, int32 or int64 [batch_size], and the label,
// without a name, behind them. Text is uint8 [batch_size, longest], with zeros behind shorter ones. Types that are not
// given are int32, int64, float32 or text, whichever is the first that all rows looked at have; empty fields are 0 or
// "".
Dataset MakeCsvDataset(const std::string& file_pattern, int64_t batch_size, MakeCsvOptions options = {});

}  // namespace headrace::data
