// `headrace console`: the console in a browser, signed in.
#pragma once

#include "apps/command.h"

namespace headrace::apps {

void AddConsoleCommand(CLI::App& app);

}  // namespace headrace::apps
