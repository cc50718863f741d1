#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

// headrace keys create|list|revoke: who may use the server. Works while it runs.
void AddKeysCommand(CLI::App& app);

}  // namespace headrace::apps
