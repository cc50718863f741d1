// `headrace endpoints`: what SageMaker's ListEndpoints, DescribeEndpoint and DeleteEndpoint say, for people.
#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

void AddEndpointsCommand(CLI::App& app);

}  // namespace headrace::apps
