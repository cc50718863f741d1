#include "keras/callbacks/python_format.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/testing/source_directory.h"

namespace headrace::keras::internal {
namespace {

// Right-hand sides printed by Python 3.11.
TEST(PythonRepr, IsPythons) {
  EXPECT_EQ(PythonRepr(0.1), "0.1");
  EXPECT_EQ(PythonRepr(2), "2.0");
  EXPECT_EQ(PythonRepr(-0.0), "-0.0");
  EXPECT_EQ(PythonRepr(1e-4), "0.0001");
  EXPECT_EQ(PythonRepr(1e-5), "1e-05");
  EXPECT_EQ(PythonRepr(1e15), "1000000000000000.0");
  EXPECT_EQ(PythonRepr(1e16), "1e+16");
  EXPECT_EQ(PythonRepr(static_cast<double>(0.001f) * 0.1), "0.00010000000474974513");
  EXPECT_EQ(PythonRepr(-std::nan("")), "nan");
  EXPECT_EQ(PythonRepr(-std::numeric_limits<double>::infinity()), "-inf");
}

Logs SomeLogs() {
  Logs logs;
  logs.Set("val_loss", 0.125);
  logs.Set("accuracy", 1);
  return logs;
}

TEST(FormatPath, FillsFieldsAsPythonDoes) {
  const auto format = [](const std::string& path) { return FormatPath(path, 3, SomeLogs()); };
  EXPECT_EQ(format("plain.h5"), "plain.h5");
  EXPECT_EQ(format("checkpoint-{epoch}.h5"), "checkpoint-3.h5");
  EXPECT_EQ(format("{epoch:02d}-{val_loss:.2f}.h5"), "03-0.12.h5");
  EXPECT_EQ(format("{epoch:4d}|{epoch:<4}|{epoch:+d}|{epoch:.1f}"), "   3|3   |+3|3.0");
  EXPECT_EQ(format("{val_loss}-{accuracy}-{val_loss:.3e}-{val_loss:08.3f}"), "0.125-1.0-1.250e-01-0000.125");
  EXPECT_EQ(format("{{epoch}}-{epoch}"), "{epoch}-3");
}

TEST(FormatPath, SaysWhatDoesNotFit) {
  const auto message = [](const std::string& path) -> std::string {
    try {
      return FormatPath(path, 3, SomeLogs());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      return error.message();
    }
  };
  EXPECT_EQ(message("{lr}.h5"),
            "path \"{lr}.h5\", field {lr}: unknown field {lr}; there is: epoch, val_loss, accuracy");
  EXPECT_THAT(message("{val_loss:d}"), ::testing::HasSubstr("field {val_loss:d}: Unknown format code 'd'"));
  EXPECT_THAT(message("{epoch:,x}"), ::testing::HasSubstr("field {epoch:,x}: Cannot specify ',' with 'x'."));
  EXPECT_THAT(message("{epoch:02d-{val_loss:.2f}}"), ::testing::HasSubstr("Invalid format specifier"));
  EXPECT_THAT(message("{epoch"), ::testing::HasSubstr("'{' without '}'"));
  EXPECT_THAT(message("epoch}"), ::testing::HasSubstr("'}' without '{'"));
}

// A grid of names, filled in by Python: tests/tensorflow/make_name_formats.py.
TEST(FormatPath, IsPythonsOverAGrid) {
  const auto cases =
      nlohmann::json::parse(std::ifstream(InSourceDirectory("src/keras/callbacks/testdata/python_formats.json")));
  ASSERT_GT(cases.size(), 3000u);
  for (const auto& row : cases) {
    const std::string name = row[0];
    Logs logs;
    logs.Set("loss", std::strtod(row[2].get<std::string>().c_str(), nullptr));
    std::string found;
    try {
      found = FormatPath(name, row[1], logs);
    } catch (const Error& error) {
      EXPECT_TRUE(row[3].is_null()) << row.dump() << ": " << error.message();
      continue;
    }
    EXPECT_EQ(row[3].is_null() ? "an error" : row[3].get<std::string>(), found) << row.dump();
  }
}

TEST(CheckPathFormat, KnowsWhatIsWrongWithoutLogs) {
  EXPECT_NO_THROW(CheckPathFormat("{epoch:02d}-{whatever:.1%}-{val_loss:,.2f}.h5"));
  for (const char* wrong :
       {"{val_loss:d}", "{epoch:02d-{val_loss:.2f}}", "{epoch", "{}", "{epoch.real}", "{loss:.99999f}"})
    EXPECT_THROW(CheckPathFormat(wrong), Error) << wrong;
}

}  // namespace
}  // namespace headrace::keras::internal
