#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

// headrace evaluate: how good a SavedModel is on a TFRecord file of images, as tables, pictures and JSON.
void AddEvaluateCommand(CLI::App& app);

}  // namespace headrace::apps
