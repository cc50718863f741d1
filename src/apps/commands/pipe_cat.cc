#include "apps/commands/pipe_cat.h"

#include <chrono>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "data/pipe/any_records.h"

namespace headrace::apps {
namespace {

constexpr size_t kPreviewBytes = 60;

struct Totals {
  uint64_t records = 0, bytes = 0;
  double seconds = 0;
};

// The names of a tf.Example's features; empty when the record is none.
std::vector<std::string_view> FeaturesOf(std::string_view record) {
  try {
    return data::ExampleView(record).names();
  } catch (const Error&) {
    return {};
  }
}

void PrintRecord(const data::RecordPosition& position, std::string_view record, std::ostream& out) {
  const auto features = FeaturesOf(record);
  out << fmt::format("{:>8} at {:>12}  {:>10} bytes  ", position.index, position.offset, record.size());
  if (features.empty()) {
    out << Preview(record, kPreviewBytes);
  } else {
    out << "tf.Example:";
    for (const auto name : features) out << " " << name;
  }
  out << "\n";
}

void PrintTotals(const std::string& format, const Totals& totals, uint64_t skipped, std::ostream& out) {
  const double rate = totals.seconds > 0 ? static_cast<double>(totals.bytes) / totals.seconds * 1e-6 : 0;
  out << fmt::format("{}: {} records, {} bytes, {:.1f} MB/s", format, totals.records, totals.bytes, rate);
  if (skipped > 0) out << fmt::format(", {} corrupt places skipped", skipped);
  out << "\n";
}

}  // namespace

std::string Preview(std::string_view bytes, size_t limit) {
  std::string text;
  for (const char c : bytes.substr(0, limit)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '\\')
      text += "\\\\";
    else if (byte >= 0x20 && byte < 0x7f)
      text += c;
    else
      text += fmt::format("\\x{:02x}", byte);
  }
  return bytes.size() > limit ? text + "…" : text;
}

Status PipeCat(const PipeCatOptions& options, OutputFormat format, std::ostream& out) {
  const auto stats = std::make_shared<data::ReadStats>();
  data::ReaderOptions reader;
  reader.skip_corrupt = options.skip_corrupt;
  reader.stats = stats;
  HEADRACE_ASSIGN(const auto records, data::OpenAnyRecords(options.path, options.format, reader));
  const bool each = !options.count && !options.raw && format == OutputFormat::kText;
  auto list = nlohmann::ordered_json::array();
  Totals totals;
  const auto start = std::chrono::steady_clock::now();
  while (options.limit < 0 || totals.records < static_cast<uint64_t>(options.limit)) {
    HEADRACE_ASSIGN(const auto record, records.stream->Next());
    if (!record) break;
    ++totals.records;
    totals.bytes += record->size();
    const auto position = records.stream->position();
    if (options.raw)
      out.write(record->data(), static_cast<std::streamsize>(record->size()));
    else if (each)
      PrintRecord(position, *record, out);
    else if (!options.count)
      list.push_back({{"index", position.index},
                      {"offset", position.offset},
                      {"bytes", record->size()},
                      {"preview", Preview(*record, kPreviewBytes)}});
  }
  totals.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (options.raw) return {};
  if (format == OutputFormat::kText) {
    PrintTotals(records.format, totals, stats->skipped, out);
    return {};
  }
  nlohmann::ordered_json result{{"format", records.format},
                                {"records", totals.records},
                                {"bytes", totals.bytes},
                                {"skipped", stats->skipped.load()}};
  if (!options.count) result["list"] = std::move(list);
  out << result.dump(2) << "\n";
  return {};
}

}  // namespace headrace::apps
