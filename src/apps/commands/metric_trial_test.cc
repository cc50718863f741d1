// `headrace metrics` as a dry run: definitions and a log from files, the report, the exit codes.
#include "apps/commands/metric_trial.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "apps/commands/metrics_command.h"
#include "apps/run.h"
#include "base/file.h"
#include "base/testing/temporary_directory.h"

namespace headrace::apps {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Refused(std::string_view text) {
  const auto parsed = ParseMetricDefinitions(text);
  return parsed ? "accepted" : parsed.error().message();
}

// A list of one definition.
const std::string kList = R"json([{"Name": "a", "Regex": "(x)"}])json";

TEST(MetricDefinitionsFile, MayBeTheListOrHoldIt) {
  for (const auto& text :
       {kList, "{\"MetricDefinitions\": " + kList + "}",
        "{\"RoleArn\": \"r\", \"AlgorithmSpecification\": {\"MetricDefinitions\": " + kList + "}}"}) {
    const auto parsed = ParseMetricDefinitions(text);
    ASSERT_TRUE(parsed) << parsed.error().message();
    ASSERT_EQ(parsed->size(), 1u);
    EXPECT_EQ((*parsed)[0].name, "a");
    EXPECT_EQ((*parsed)[0].regex, "(x)");
  }
}

TEST(MetricDefinitionsFile, MisspeltKeysAreNamed) {
  EXPECT_EQ(Refused(R"json({"metric_definitons": []})json"),
            "found the key 'metric_definitons', wanted 'MetricDefinitions'");
  EXPECT_EQ(Refused(R"json({"AlgorithmSpecification": {"MetricDefinition": []}})json"),
            "AlgorithmSpecification: found the key 'MetricDefinition', wanted 'MetricDefinitions'");
  EXPECT_EQ(Refused(R"json({"AlgorithmSpecfication": {"MetricDefinitions": []}})json"),
            "found the key 'AlgorithmSpecfication', wanted 'AlgorithmSpecification'");
  EXPECT_EQ(Refused(R"json([{"Name": "a", "Regex": "(x)"}, {"name": "a", "regex": "(x)"}])json"),
            "MetricDefinitions[1]: found the key 'name', wanted 'Name'");
  EXPECT_EQ(Refused(R"json([{"Name": "a", "Regexp": "(x)"}])json"),
            "MetricDefinitions[0]: found the key 'Regexp', wanted 'Regex'");
  EXPECT_THAT(Refused(R"json([{"Name": "a", "Regex": "(x)", "Unit": "s"}])json"),
              HasSubstr("at 'metricDefinitions.1.member.unit' failed to satisfy constraint: Member is not known here"));
}

TEST(MetricDefinitionsFile, OtherwiseSaysWhatIsWanted) {
  EXPECT_THAT(Refused("[{'Name': 'a'}]"), HasSubstr("print(json.dumps(metric_definitions))"));
  EXPECT_THAT(Refused("3"), StartsWith("found number, wanted a list"));
  EXPECT_THAT(Refused("{}"), HasSubstr("found no MetricDefinitions"));
  EXPECT_THAT(Refused("[]"), HasSubstr("found an empty list"));
  EXPECT_THAT(Refused("[3]"), HasSubstr("cannot be read"));
  EXPECT_THAT(Refused(R"json([{"Name": "a"}])json"), HasSubstr("'metricDefinitions.1.member.regex'"));
  EXPECT_THAT(Refused(R"json([{"Name": "a", "Regex": ")json" + std::string(501, 'x') + "\"}]"),
              HasSubstr("length less than or equal to 500"));
}

class MetricDryRun : public ::testing::Test {
 protected:
  std::string File(const std::string& name, const std::string& text) const {
    ValueOrThrow(WriteFileAtomically(root_ / name, text));
    return root_ / name;
  }
  // Output and then the error, if any.
  static std::string Output(std::vector<std::string> arguments, int wanted) {
    std::ostringstream out, err;
    arguments.insert(arguments.begin(), "metrics");
    ::testing::internal::CaptureStdout();
    const int code = apps::Run({AddMetricsCommand}, std::move(arguments), out, err);
    std::string text = ::testing::internal::GetCapturedStdout() + err.str();
    EXPECT_EQ(code, wanted) << text;
    return text;
  }

  TemporaryDirectory root_;
  const std::string log_ = File("log", "epoch 1\nloss: 2.5 - time: 1s\nloss: 1.5 - time: 2s\n");
};

TEST_F(MetricDryRun, SucceedsWhenEveryDefinitionFindsValues) {
  const auto definitions = File("d", R"json([{"Name": "loss", "Regex": "loss: ([0-9.]+)"}])json");
  EXPECT_EQ(Output({"--definitions", definitions, "--log", log_}, kDone),
            "loss: 2 lines matched, 2 values, first 2.5, last 1.5\n  line 2: loss: 2.5 - time: 1s\n3 lines\n");
  const auto json = nlohmann::json::parse(Output({"--definitions", definitions, "--log", log_, "-o", "json"}, kDone));
  EXPECT_EQ(json, nlohmann::json::parse(R"json({"lines": 3, "platform_lines": 0, "definitions": [{
    "name": "loss", "regex": "loss: ([0-9.]+)", "matched_lines": 2, "values": 2, "first": 2.5, "last": 1.5,
    "first_match": {"line": 2, "text": "loss: 2.5 - time: 1s"}, "warnings": []}]})json"));
}

TEST_F(MetricDryRun, FailsWhenOneFindsNoValue) {
  const auto definitions = File("d", R"json([{"Name": "loss", "Regex": "loss: ([0-9.]+)"},
                                         {"Name": "time", "Regex": "time: (.*)"}])json");
  const auto text = Output({"--definitions", definitions, "--log", log_}, kFailed);
  EXPECT_THAT(text, HasSubstr("time: 2 lines matched, 0 values\n  line 2: loss: 2.5 - time: 1s\n  warning: 2 lines "
                              "matched, but their first group was no number: '1s'\n"));
  EXPECT_THAT(text, HasSubstr("headrace: 1 of 2 metric definitions found no value"));
}

TEST_F(MetricDryRun, CallsARefusedDefinitionAndBadInputWrongUsage) {
  const auto definitions = File("d", R"([{"Name": "loss", "Regex": "loss"}])");
  const auto text = Output({"--definitions", definitions, "--log", log_}, kWrongUsage);
  EXPECT_THAT(text, HasSubstr("loss: refused: "));
  EXPECT_THAT(text, HasSubstr("1 of 1 metric definitions would be refused by a training job"));
  EXPECT_THAT(Output({"--definitions", root_ / "absent", "--log", log_}, kWrongUsage),
              HasSubstr("absent: cannot be read"));
  EXPECT_THAT(Output({"--definitions", File("e", kList), "--log", root_ / "absent"}, kWrongUsage),
              HasSubstr("absent: cannot be read"));
  EXPECT_THAT(Output({"--definitions", File("big", std::string(2 << 20, ' ')), "--log", log_}, kWrongUsage),
              HasSubstr("longer than 1048576 bytes"));
  EXPECT_THAT(Output({"--definitions", "-", "--log", "-"}, kWrongUsage), HasSubstr("standard input is read"));
  EXPECT_THAT(Output({"--definitions", definitions}, kWrongUsage), HasSubstr("wanted a training job"));
  EXPECT_THAT(Output({}, kWrongUsage), HasSubstr("wanted a training job"));
}

}  // namespace
}  // namespace headrace::apps
