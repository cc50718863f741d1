#include "jobs/transform/csv_record.h"

namespace headrace::jobs {

std::vector<std::string_view> CsvFields(std::string_view line) {
  std::vector<std::string_view> fields;
  size_t begin = 0;
  while (true) {
    size_t at = begin;
    if (at < line.size() && line[at] == '"') {
      ++at;
      // To the closing mark: one that no other follows.
      while (at < line.size() && (line[at] != '"' || (at + 1 < line.size() && line[at + 1] == '"')))
        at += line[at] == '"' ? 2 : 1;
    }
    const size_t comma = at < line.size() ? line.find(',', at) : std::string_view::npos;
    fields.push_back(line.substr(begin, comma == std::string_view::npos ? std::string_view::npos : comma - begin));
    if (comma == std::string_view::npos) return fields;
    begin = comma + 1;
  }
}

}  // namespace headrace::jobs
