// `headrace pipe status`: what the channels of a job in Pipe mode have streamed so far.
#pragma once

#include <ostream>
#include <string>

#include "apps/command.h"
#include "base/result.h"

namespace headrace::apps {

// The status file of `job`: a job's name below `data_dir` (its newest attempt, of any account), or a job directory.
Result<std::string> FindPipeStatus(const std::string& data_dir, const std::string& job);

// Prints the file; with `earlier` (the same file's text some time before) also the rates between the two.
Status PrintPipeStatus(const std::string& text, const std::string& earlier, OutputFormat format, std::ostream& out);

}  // namespace headrace::apps
