// A line of CSV (RFC 4180) as its fields, each as it is written: quotation marks stay.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace headrace::jobs {

// A comma inside of a field in quotation marks is no end of it. Every text has fields; the empty one has one.
std::vector<std::string_view> CsvFields(std::string_view line);

}  // namespace headrace::jobs
