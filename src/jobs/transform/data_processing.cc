#include "jobs/transform/data_processing.h"

#include <vector>

#include "http/message.h"
#include "jobs/transform/csv_record.h"

namespace headrace::jobs {
namespace {

using Json = JsonPath::Json;

constexpr size_t kDeepestJson = 256;
constexpr int kMostMembers = 4096;
constexpr size_t kShownBytes = 200;

std::vector<std::string_view> LinesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

// Why a text is not parsed: its values are walked recursively, and members are looked for one by one. "" for others.
std::string BeyondLimits(std::string_view text) {
  std::vector<int> members;  // of each value that is open
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (members.size() == kDeepestJson) return fmt::format("is nested deeper than {} levels", kDeepestJson);
      members.push_back(0);
    } else if ((c == ']' || c == '}') && !members.empty()) {
      members.pop_back();
    } else if (c == ':' && !members.empty() && ++members.back() > kMostMembers) {
      return fmt::format("has an object of more than {} members", kMostMembers);
    }
  }
  return "";
}

Result<Json> ParseRecordJson(std::string_view text, const char* what) {
  if (const auto why = BeyondLimits(text); !why.empty()) return Fail(ErrorCode::kInvalidArgument, "{} {}", what, why);
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded())
    return Fail(ErrorCode::kInvalidArgument, "Unable to parse {} as json: found '{}'", what,
                text.substr(0, kShownBytes));
  return json;
}

std::string DumpRecord(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json AsArray(const std::vector<std::string_view>& fields) {
  Json array = Json::array();
  for (const auto field : fields) array.push_back(std::string(field));
  return array;
}

// A path's finding as a line of CSV. Fields are texts as they were written; what else there is comes from a model.
std::string AsCsv(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return DumpRecord(value);
  std::string line;
  for (const auto& field : value) {
    if (!line.empty() || &field != &value.front()) line += ',';
    line += AsCsv(field);
  }
  return line;
}

tl::unexpected<Error> OtherNumber(size_t answers, size_t records) {
  return Fail(ErrorCode::kInvalidArgument,
              "the model answered with {} records to {}: joining and filtering need one for each. Set BatchStrategy to "
              "SingleRecord",
              answers, records);
}

// TensorFlow Serving's answer to rows.
const Json* PredictionsIn(const Json& answer) {
  if (!answer.is_object()) return nullptr;
  const auto found = answer.find("predictions");
  return found != answer.end() && found->is_array() ? &*found : nullptr;
}

void AddFlat(const Json& value, Json& row) {
  if (!value.is_array()) return row.push_back(value);
  for (const auto& element : value) AddFlat(element, row);
}

// The answer as a row of fields each record.
Result<std::vector<Json>> CsvAnswers(std::string_view answer, size_t records) {
  std::vector<Json> rows;
  if (const size_t first = answer.find_first_not_of(" \t\r\n");
      first != std::string_view::npos && answer[first] == '{') {
    HEADRACE_ASSIGN(const Json json, ParseRecordJson(answer, "the model's answer"));
    const Json* predictions = PredictionsIn(json);
    if (predictions == nullptr)
      return Fail(ErrorCode::kInvalidArgument, "the model's answer is neither CSV nor {{\"predictions\": [...]}}");
    for (const auto& element : *predictions) {
      rows.push_back(Json::array());
      AddFlat(element, rows.back());
    }
  } else {
    for (const auto line : LinesOf(answer)) rows.push_back(AsArray(CsvFields(line)));
  }
  if (rows.size() != records) return OtherNumber(rows.size(), records);
  return rows;
}

// The answer as a document each record.
Result<std::vector<Json>> JsonAnswers(std::string_view answer, size_t records) {
  std::vector<Json> documents;
  if (records == 1) {  // it may be printed over several lines
    HEADRACE_ASSIGN(Json json, ParseRecordJson(answer, "the model's answer"));
    documents.push_back(std::move(json));
    return documents;
  }
  if (BeyondLimits(answer).empty()) {
    const Json whole = Json::parse(answer, nullptr, false);
    if (const Json* predictions = PredictionsIn(whole)) {
      if (predictions->size() != records) return OtherNumber(predictions->size(), records);
      for (const auto& element : *predictions) documents.push_back({{"predictions", Json::array({element})}});
      return documents;
    }
  }
  const auto lines = LinesOf(answer);
  if (lines.size() != records) return OtherNumber(lines.size(), records);
  for (const auto line : lines) {
    HEADRACE_ASSIGN(Json json, ParseRecordJson(line, "the model's answer"));
    documents.push_back(std::move(json));
  }
  return documents;
}

tl::unexpected<Error> InRecord(size_t index, size_t count, const Error& error) {
  if (count == 1) return tl::unexpected<Error>(error);
  return Fail(error.code(), "record {} of the batch: {}", index + 1, error.message());
}

}  // namespace

DataProcessing::DataProcessing(const TransformSettings& settings)
    : input_filter_(settings.input_filter),
      output_filter_(settings.output_filter),
      join_(settings.join),
      csv_(http::MediaType(settings.content_type) == "text/csv"),
      lines_(csv_ || http::MediaType(settings.content_type) == "application/jsonlines" ||
             settings.split == SplitType::kLine) {}

Result<std::string> DataProcessing::FilterInput(std::string_view body) const {
  if (!filters_input()) return std::string(body);
  const auto records = lines_ ? LinesOf(body) : std::vector{body};
  std::string filtered;
  for (size_t i = 0; i < records.size(); ++i) {
    Json record;
    if (csv_) {
      record = AsArray(CsvFields(records[i]));
    } else {
      auto parsed = ParseRecordJson(records[i], "the record");
      if (!parsed) return InRecord(i, records.size(), parsed.error());
      record = std::move(*parsed);
    }
    const auto selected = input_filter_.Select(record);
    if (!selected)
      return InRecord(i, records.size(), Error(selected.error().code(), "InputFilter: " + selected.error().message()));
    filtered += csv_ ? AsCsv(*selected) : DumpRecord(*selected);
    if (lines_) filtered += '\n';
  }
  if (lines_ && !body.ends_with('\n') && !filtered.empty()) filtered.pop_back();  // as the body is
  return filtered;
}

Result<std::string> DataProcessing::Finish(std::string_view body, std::string_view answer) const {
  if (!changes_output()) return std::string(answer);
  return csv_ ? FinishCsv(body, answer) : FinishJson(body, answer);
}

Result<std::string> DataProcessing::FinishCsv(std::string_view body, std::string_view answer) const {
  const auto records = LinesOf(body);
  HEADRACE_ASSIGN(const auto answers, CsvAnswers(answer, records.size()));
  std::string text;
  for (size_t i = 0; i < records.size(); ++i) {
    Json row = join_ ? AsArray(CsvFields(records[i])) : Json::array();
    for (const auto& field : answers[i]) row.push_back(field);
    const auto selected = output_filter_.Select(row);
    if (!selected)
      return InRecord(i, records.size(), Error(selected.error().code(), "OutputFilter: " + selected.error().message()));
    text += AsCsv(*selected) + '\n';
  }
  return text;
}

Result<std::string> DataProcessing::FinishJson(std::string_view body, std::string_view answer) const {
  const auto records = lines_ ? LinesOf(body) : std::vector{body};
  HEADRACE_ASSIGN(auto answers, JsonAnswers(answer, records.size()));
  std::string text;
  for (size_t i = 0; i < records.size(); ++i) {
    const auto finished = JoinAndFilter(records[i], std::move(answers[i]));
    if (!finished) return InRecord(i, records.size(), finished.error());
    text += DumpRecord(*finished);
    if (lines_) text += '\n';
  }
  return text;
}

Result<DataProcessing::Json> DataProcessing::JoinAndFilter(std::string_view record, Json answer) const {
  Json joined = std::move(answer);
  if (join_) {
    HEADRACE_ASSIGN(Json input, ParseRecordJson(record, "the record"));
    if (!input.is_object()) input = Json{{"SageMakerInput", std::move(input)}};
    input["SageMakerOutput"] = std::move(joined);
    joined = std::move(input);
  }
  auto selected = output_filter_.Select(joined);
  if (!selected) return Fail(selected.error().code(), "OutputFilter: {}", selected.error().message());
  return selected;
}

}  // namespace headrace::jobs
