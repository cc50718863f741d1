#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

// headrace predict: what a SavedModel sees on PNG images.
void AddPredictCommand(CLI::App& app);

}  // namespace headrace::apps
