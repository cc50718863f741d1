// headrace transform: batch transform, a model over many files or objects.
#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

void AddTransformCommand(CLI::App& app);

}  // namespace headrace::apps
