// headrace download: copies objects of S3 to files.
#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

void AddDownloadCommand(CLI::App& app);

}  // namespace headrace::apps
