// headrace upload: copies files to S3.
#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

void AddUploadCommand(CLI::App& app);

}  // namespace headrace::apps
