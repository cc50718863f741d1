#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

// headrace doctor: what the platform needs on this machine, and whether it is there.
void AddDoctorCommand(CLI::App& app);

}  // namespace headrace::apps
