#include "jobs/transform/data_processing.h"

#include <gmock/gmock.h>

#include "jobs/transform/csv_record.h"

namespace headrace::jobs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

DataProcessing Make(const char* type, const char* input, const char* output, bool join,
                    SplitType split = SplitType::kLine) {
  TransformSettings settings;
  settings.content_type = type;
  settings.split = split;
  settings.input_filter = JsonPath::Parse(input).value();
  settings.output_filter = JsonPath::Parse(output).value();
  settings.join = join;
  return DataProcessing(settings);
}

std::string Text(const Result<std::string>& result) { return result ? *result : "! " + result.error().message(); }

TEST(CsvFields, AreAsTheyAreWritten) {
  EXPECT_THAT(CsvFields("a,b"), ElementsAre("a", "b"));
  EXPECT_THAT(CsvFields(""), ElementsAre(""));
  EXPECT_THAT(CsvFields(",x,"), ElementsAre("", "x", ""));
  EXPECT_THAT(CsvFields(R"("a,b","say ""no"", x",c)"), ElementsAre(R"("a,b")", R"("say ""no"", x")", "c"));
  EXPECT_THAT(CsvFields(R"(a"b,"open, for ever)"), ElementsAre(R"(a"b)", R"("open, for ever)"));
}

TEST(DataProcessing, WithoutItNothingChanges) {
  const auto processing = Make("image/png", "$", "$", false);
  EXPECT_FALSE(processing.filters_input());
  EXPECT_FALSE(processing.changes_output());
  EXPECT_EQ(Text(processing.FilterInput("\x01\n")), "\x01\n");
  EXPECT_EQ(Text(processing.Finish("\x01", "\x02")), "\x02");
}

TEST(DataProcessing, CsvLines) {
  const auto processing = Make("text/csv; charset=utf-8", "$[1:]", "$[0,-1]", true);
  EXPECT_EQ(Text(processing.FilterInput("\"7,8\",1,2\n9,3,4")), "1,2\n3,4");
  EXPECT_EQ(Text(processing.FilterInput("7,1,2\r\n")), "1,2\n");
  const std::string body = "\"7,8\",1,2\n9,3,4\n";
  EXPECT_EQ(Text(processing.Finish(body, "0.5,0.25\n0.1,0.2\n")), "\"7,8\",0.25\n9,0.2\n");
  EXPECT_EQ(Text(processing.Finish(body, R"({"predictions": [[0.5, 0.25], [[0.1], [1e-7]]]})")),
            "\"7,8\",0.25\n9,1e-07\n");
  EXPECT_THAT(Text(processing.Finish(body, "1\n")), HasSubstr("answered with 1 records to 2"));
  EXPECT_THAT(Text(processing.Finish(body, R"({"outputs": 1})")), HasSubstr("neither CSV nor"));
  EXPECT_THAT(Text(Make("text/csv", "$[5]", "$", false).FilterInput(body)),
              HasSubstr("record 1 of the batch: InputFilter: there is no index 5 in an array of 3"));
  EXPECT_EQ(Text(Make("text/csv", "$", "$[1:]", false).Finish("1", "5,6,7")), "6,7\n");
  EXPECT_EQ(Text(Make("text/csv", "$", "$[1]", false).Finish("1", "5,6,7")), "6\n");
  EXPECT_EQ(Text(Make("text/csv", "$", "$", true).Finish("1,2\n3,4\n", "5\n6")), "1,2,5\n3,4,6\n");
}

TEST(DataProcessing, JsonLines) {
  const auto processing = Make("application/jsonlines", "$.x", "$['id','SageMakerOutput']", true);
  const std::string body = R"({"id": 1, "x": [1, 2]}
{"x": [3], "id": 2}
)";
  EXPECT_EQ(Text(processing.FilterInput(body)), "[1,2]\n[3]\n");
  EXPECT_EQ(Text(processing.Finish(body, "{\"y\": 1}\n{\"y\": 2}\n")),
            "{\"id\":1,\"SageMakerOutput\":{\"y\":1}}\n{\"id\":2,\"SageMakerOutput\":{\"y\":2}}\n");
  // One answer to all is taken apart; a record alone has the same.
  const char* both = "{\"id\":1,\"SageMakerOutput\":{\"predictions\":[[0.5]]}}\n";
  EXPECT_THAT(Text(processing.Finish(body, R"({"predictions": [[0.5], [0.25]]})")), testing::StartsWith(both));
  EXPECT_EQ(Text(processing.Finish(R"({"id": 1})", "{\n  \"predictions\": [[0.5]]\n}")), both);
  EXPECT_THAT(Text(processing.Finish(body, R"({"predictions": [[0.5]]})")), HasSubstr("1 records to 2"));
  EXPECT_THAT(Text(processing.Finish("{", "1")), HasSubstr("Unable to parse the record as json"));
  EXPECT_THAT(Text(processing.Finish("{}", "no")), HasSubstr("Unable to parse the model's answer as json"));
  EXPECT_EQ(Text(Make("application/jsonlines", "$", "$", true).Finish("[1,2]", "3")),
            "{\"SageMakerInput\":[1,2],\"SageMakerOutput\":3}\n");
}

TEST(DataProcessing, OneDocument) {
  const auto processing = Make("application/json", "$.data", "$", true, SplitType::kNone);
  const std::string body = "{\n \"data\": {\"instances\": [1]},\n \"n\": \"x\"\n}";
  EXPECT_EQ(Text(processing.FilterInput(body)), R"({"instances":[1]})");
  EXPECT_EQ(Text(processing.Finish(body, R"({"predictions": [2]})")),
            R"({"data":{"instances":[1]},"n":"x","SageMakerOutput":{"predictions":[2]}})");
}

TEST(DataProcessing, HostileDocumentsAreRefused) {
  const auto processing = Make("application/jsonlines", "$[0]", "$", true);
  EXPECT_THAT(Text(processing.FilterInput(std::string(100'000, '['))), HasSubstr("deeper than 256"));
  std::string wide = "{";
  for (int i = 0; i < 5000; ++i) wide += fmt::format("\"{}\":0,", i);
  wide.back() = '}';
  EXPECT_THAT(Text(processing.FilterInput(wide)), HasSubstr("more than 4096 members"));
  EXPECT_THAT(Text(processing.Finish("1\n2", std::string(100'000, '['))), HasSubstr("answered with 1 records"));
}

TEST(TransformSettings, AreReadFromARequest) {
  const auto settings = ParseTransformSettings(R"({"TransformJobName": "j", "MaxConcurrentTransforms": 0,
      "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": "s3://b/k"}},
                         "SplitType": "TFRecord", "CompressionType": "Gzip"},
      "TransformOutput": {"S3OutputPath": "s3://b/o", "AssembleWith": "Line"},
      "TransformResources": {"InstanceCount": 3, "InstanceType": "ml.m4.xlarge"},
      "ModelClientConfig": {"InvocationsMaxRetries": 0}, "BatchStrategy": "SingleRecord"})")
                            .value();
  EXPECT_TRUE(settings.is_manifest && settings.gunzip && settings.lines && !settings.many_records && !settings.join);
  EXPECT_EQ(settings.split, SplitType::kTFRecord);
  EXPECT_EQ(settings.concurrent, 1);
  EXPECT_EQ(settings.instances, 3);
  EXPECT_EQ(settings.payload_bytes, size_t{6} << 20);
  EXPECT_EQ(settings.retries, 0);
  EXPECT_EQ(settings.timeout.count(), 600);
  EXPECT_FALSE(ParseTransformSettings("{}"));
}

}  // namespace
}  // namespace headrace::jobs
