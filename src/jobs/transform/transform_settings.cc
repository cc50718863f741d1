#include "jobs/transform/transform_settings.h"

#include <algorithm>

#include "http/message.h"

namespace headrace::jobs {
namespace {

constexpr size_t kMegabyte = size_t{1} << 20;
constexpr int kDefaultPayload = 6, kLargestPayload = 100;
constexpr int64_t kMostConcurrent = 1'000'000;

SplitType SplitTypeOf(const std::string& name) {
  if (name == "Line") return SplitType::kLine;
  if (name == "RecordIO") return SplitType::kRecordIO;
  if (name == "TFRecord") return SplitType::kTFRecord;
  return SplitType::kNone;
}

Status ReadSettings(const nlohmann::json& request, TransformSettings& settings) {
  const auto& input = request.at("TransformInput");
  const auto& source = input.at("DataSource").at("S3DataSource");
  settings.input_uri = source.at("S3Uri");
  settings.is_manifest = source.at("S3DataType") == "ManifestFile";
  settings.content_type = input.value("ContentType", "");
  settings.gunzip = input.value("CompressionType", "None") == "Gzip";
  settings.split = SplitTypeOf(input.value("SplitType", "None"));
  settings.many_records = request.value("BatchStrategy", "MultiRecord") == "MultiRecord";
  const auto& output = request.at("TransformOutput");
  settings.output_path = output.at("S3OutputPath");
  settings.accept = output.value("Accept", "");
  settings.lines = output.value("AssembleWith", "None") == "Line";
  settings.instances = request.at("TransformResources").at("InstanceCount");
  settings.concurrent =
      static_cast<int>(std::clamp<int64_t>(request.value("MaxConcurrentTransforms", int64_t{1}), 1, kMostConcurrent));
  settings.payload_megabytes = request.value("MaxPayloadInMB", kDefaultPayload);
  settings.payload_bytes =
      static_cast<size_t>(settings.payload_megabytes == 0 ? kLargestPayload : settings.payload_megabytes) * kMegabyte;
  const auto client = request.value("ModelClientConfig", nlohmann::json::object());
  settings.timeout = std::chrono::seconds(client.value("InvocationsTimeoutInSeconds", 600));
  settings.retries = client.value("InvocationsMaxRetries", 3);
  const auto processing = request.value("DataProcessing", nlohmann::json::object());
  HEADRACE_ASSIGN(settings.input_filter, JsonPath::Parse(processing.value("InputFilter", "$")));
  HEADRACE_ASSIGN(settings.output_filter, JsonPath::Parse(processing.value("OutputFilter", "$")));
  settings.join = processing.value("JoinSource", "None") == "Input";
  return {};
}

}  // namespace

Result<TransformSettings> ParseTransformSettings(const std::string& request) {
  TransformSettings settings;
  try {
    HEADRACE_TRY(ReadSettings(nlohmann::json::parse(request), settings));
  } catch (const nlohmann::json::exception& error) {
    return Fail(ErrorCode::kDataLoss, "a transform job's request cannot be read: {}", error.what());
  }
  return settings;
}

bool IsProcessable(std::string_view content_type) {
  const std::string type = http::MediaType(content_type);
  return type == "text/csv" || type == "application/json" || type == "application/jsonlines";
}

}  // namespace headrace::jobs
