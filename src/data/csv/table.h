// A file of CSV text, opened as CsvOptions say.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "headrace/data.h"

#include "base/result.h"
#include "data/csv/tokenizer.h"
#include "data/record_stream.h"

namespace headrace::data {

// Its records, behind the header if there is one. `stop` ends a wait for a FIFO.
Result<std::unique_ptr<CsvTokenizer>> OpenCsv(const std::string& path, const CsvOptions& options,
                                              StopFlag stop = nullptr);

}  // namespace headrace::data
