#include <gmock/gmock.h>

#include "headrace/data.h"

#include "data/csv/tokenizer.h"
#include "data/test_files.h"

namespace headrace::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Records = std::vector<std::vector<std::string>>;

// The records of `text`, read a few bytes at a time.
Records RecordsOf(const std::string& text, CsvTokenizer::Rules rules = {}) {
  rules.max_record_bytes = 1000;
  rules.buffer_bytes = 8;
  CsvTokenizer tokenizer(std::make_unique<MemorySource>(text, 3), "test", rules);
  Records records;
  std::vector<std::string> fields;
  while (ValueOrThrow(tokenizer.Next(fields)))
    records.emplace_back(fields.begin(), fields.begin() + static_cast<ptrdiff_t>(tokenizer.count()));
  return records;
}

TEST(CsvTokenizer, FieldsAndLines) {
  EXPECT_EQ(RecordsOf("a,b\nc,,d\r\n,\re"), (Records{{"a", "b"}, {"c", "", "d"}, {"", ""}, {"e"}}));
  EXPECT_EQ(RecordsOf(""), Records{});
  EXPECT_EQ(RecordsOf("\na\n"), (Records{{""}, {"a"}}));
  EXPECT_EQ(RecordsOf("a;b,c\n", {.delimiter = ';'}), (Records{{"a", "b,c"}}));
  EXPECT_EQ(RecordsOf("\"a\",b\n", {.quotes = false}), (Records{{"\"a\"", "b"}}));
}

TEST(CsvTokenizer, Quotes) {
  EXPECT_EQ(RecordsOf("\"a,\"\"b\"\"\nc\",\"\"\n\"d\""), (Records{{"a,\"b\"\nc", ""}, {"d"}}));
  const auto message = [](const std::string& text) { return ErrorOf([&] { RecordsOf(text); }).second; };
  EXPECT_EQ(message("a\nb,c\"d\n"), "test: record 2: field 2 has a quote inside and none around it");
  EXPECT_EQ(message("\"a\"b\n"), "test: record 1: field 1 has a quote inside that is not doubled");
  EXPECT_EQ(message("x,\"a\n"), "test: record 1: field 2 lacks its last quote");
  EXPECT_EQ(ErrorOf([] { RecordsOf(std::string(2000, 'x')); }).first, ErrorCode::kResourceExhausted);
}

std::string ColumnError(const CsvColumn& column, const std::string& field) {
  return ErrorOf([&] { column.Parse(field, field.empty()); }).second;
}

TEST(CsvColumn, Values) {
  EXPECT_EQ(*CsvColumn(DType::kInt32).Parse(" -7 ", false).data<int32_t>(), -7);
  EXPECT_EQ(*CsvColumn(DType::kInt64).Parse("+9223372036854775807", false).data<int64_t>(), INT64_MAX);
  EXPECT_EQ(*CsvColumn(1.5).Parse("1e3", false).data<float>(), 1000.f);
  EXPECT_EQ(*CsvColumn(1.5).Parse("1e99", false).data<float>(), INFINITY);
  EXPECT_EQ(*CsvColumn(1.5).Parse("", true).data<float>(), 1.5f);
  EXPECT_EQ(*CsvColumn(3).Parse("", true).data<int32_t>(), 3);
  EXPECT_EQ(Bytes(CsvColumn("none").Parse("", true)), "none");
  EXPECT_EQ(Bytes(CsvColumn("none").Parse(" x", false)), " x");
  EXPECT_EQ(ColumnError(DType::kInt32, "2147483648"), "found \"2147483648\", wanted int32");
  EXPECT_THAT(ColumnError(DType::kFloat32, "1.5x"), HasSubstr("found \"1.5x\", wanted float32"));
  EXPECT_THAT(ColumnError(DType::kFloat32, " "), HasSubstr("wanted float32"));
  EXPECT_THAT(ColumnError(DType::kInt32, ""), HasSubstr("the column has no default"));
  EXPECT_EQ(ErrorOf([] { CsvColumn{DType::kBFloat16}; }).first, ErrorCode::kInvalidArgument);
}

class Csv : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    SetContents(directory_ / name, text);
    return directory_ / name;
  }
  TemporaryDirectory directory_;
};

TEST_F(Csv, Rows) {
  const auto rows = CsvDataset({Write("a", "x,n,t\n1.5,2,abc\n,NA,\n"), Write("b", "x,n,t\n3,4,d\n")},
                               {0.5, DType::kInt64, ""}, {.header = true});
  auto iterator = rows.MakeIterator();
  const auto first = iterator.Next();
  EXPECT_EQ(*(*first)[0].data<float>(), 1.5f);
  EXPECT_EQ(*(*first)[1].data<int64_t>(), 2);
  EXPECT_EQ(Bytes((*first)[2]), "abc");
  const auto [code, message] = ErrorOf([&] { iterator.Next(); });
  EXPECT_EQ(code, ErrorCode::kDataLoss);
  EXPECT_THAT(message, HasSubstr("a: record 3: field 2: found \"NA\", wanted int64"));
  auto again = rows.MakeIterator();
  EXPECT_EQ(again.Skip(2), 2);
  EXPECT_EQ(Bytes((*again.Next())[2]), "d");
}

TEST_F(Csv, SelectedColumnsAndCounts) {
  const std::string file = Write("a", "1,2,3\n4,5\n");
  auto selected = CsvDataset({file}, {DType::kInt32}, {.select_cols = {1}}).MakeIterator();
  EXPECT_EQ(*selected.Next()->x().data<int32_t>(), 2);
  EXPECT_EQ(*selected.Next()->x().data<int32_t>(), 5);
  auto all = CsvDataset({file}, {0, 0, 0}).MakeIterator();
  all.Next();
  EXPECT_THAT(ErrorOf([&] { all.Next(); }).second, HasSubstr("record 2: found 2 fields, wanted 3"));
  EXPECT_THAT(ErrorOf([&] { CsvDataset({file}, {0}, {.select_cols = {2, 1}}); }).second, HasSubstr("2 select_cols"));
  EXPECT_THAT(ErrorOf([&] { CsvDataset({file}, {0, 0}, {.select_cols = {2, 1}}); }).second, HasSubstr("found 1"));
}

TEST_F(Csv, BatchesOfNamedColumns) {
  const std::string file =
      Write("t.csv", "age,city,fare,big,label\n22,Ulm,7.25,1,0\n38,Bonn,,3000000000,1\n26,,8,2,1\n");
  const auto batches = MakeCsvDataset(file, 2, {.label_name = "label", .num_epochs = 1, .shuffle = false});
  auto iterator = batches.MakeIterator();
  const auto first = iterator.Next();
  ASSERT_EQ(first->size(), 5u);
  EXPECT_EQ((*first)["age"].data<int32_t>()[1], 38);
  EXPECT_EQ((*first)["city"].shape(), (Shape{2, 4}));
  EXPECT_EQ(Bytes((*first)["city"]), std::string_view("Ulm\0Bonn", 8));
  EXPECT_EQ((*first)["fare"].data<float>()[1], 0.f);
  EXPECT_EQ((*first)["big"].data<int64_t>()[1], 3000000000);
  EXPECT_EQ(first->name(4), "");
  EXPECT_EQ((*first)[4].data<int32_t>()[1], 1);
  EXPECT_EQ((*iterator.Next())["age"].shape(), Shape{1});
  EXPECT_FALSE(iterator.Next());

  const auto endless = MakeCsvDataset(file, 2, {.select_columns = {"fare", "age"}, .shuffle_seed = 3});
  auto pairs = endless.MakeIterator();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(pairs.Next()->x().shape(), Shape{2});
  EXPECT_EQ(pairs.Next()->name(1), "fare");
  EXPECT_THAT(ErrorOf([&] { MakeCsvDataset(file, 2, {.label_name = "x"}); }).second,
              HasSubstr("found \"x\", wanted one of: age, city, fare, big, label"));
  EXPECT_THAT(ErrorOf([&] { MakeCsvDataset(file, 2, {.column_defaults = {0}}); }).second, HasSubstr("found 1"));
  EXPECT_EQ(ErrorOf([&] { MakeCsvDataset(directory_ / "none*", 2); }).first, ErrorCode::kNotFound);
}

TEST_F(Csv, FilesBehindTheRowsForInferenceAreNotOpenedForIt) {
  Write("u1.csv", "x\n1\n2\n");
  const std::string broken = Write("u2.csv", "\"x\n3\n");
  MakeCsvOptions options{.num_epochs = 1, .shuffle = false, .num_rows_for_inference = 2};
  auto batches = MakeCsvDataset(directory_ / "u*.csv", 2, options).MakeIterator();
  EXPECT_EQ((*batches.Next())["x"].data<int32_t>()[1], 2);
  options.num_rows_for_inference = 3;
  EXPECT_THAT(ErrorOf([&] { MakeCsvDataset(directory_ / "u*.csv", 2, options); }).second,
              HasSubstr(broken + ": record 1: field 1 lacks its last quote"));
}

}  // namespace
}  // namespace headrace::data
