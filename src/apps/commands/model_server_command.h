#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

// headrace model-server: serves SavedModels over HTTP, with TensorFlow Serving's flags.
void AddModelServerCommand(CLI::App& app);

}  // namespace headrace::apps
