// Files of CSV text, one after the other, as records of fields.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "headrace/data.h"

#include "base/result.h"
#include "data/csv/tokenizer.h"
#include "data/record_stream.h"

namespace headrace::data {

Result<std::unique_ptr<CsvTokenizer>> OpenCsv(const std::string& path, const CsvOptions& options,
                                              StopFlag stop = nullptr);

}  // namespace headrace::data
