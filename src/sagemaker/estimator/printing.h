// Where lines of jobs go, and whom a watch asks.
#pragma once

#include <stop_token>

#include "sagemaker/estimator/log_follower.h"

namespace headrace::sagemaker {

// `print`, or the standard output where there is none.
Print PrinterOf(const Print& print);
// Whether lines may have colours: on a terminal.
bool HasColours(const Print& print);

Ask AskOf(const Session& session, const std::stop_token& stop);

}  // namespace headrace::sagemaker
