// headrace invoke: asks an endpoint.
#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

void AddInvokeCommand(CLI::App& app);

}  // namespace headrace::apps
