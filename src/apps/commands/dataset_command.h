// headrace dataset cifar10: makes the data set that the examples train on.
#pragma once

#include "apps/command.h"

namespace headrace::apps {

void AddDatasetCommand(CLI::App& app);

}  // namespace headrace::apps
