// Several threads that do numbered pieces of one task.
#pragma once

#include <functional>

#include "headrace/aws_clients.h"

namespace headrace::sagemaker {

// Calls work(0) … work(count - 1), at most `threads` at a time; the first failure keeps the rest from starting, stops
// the pieces under way by their token, and is returned.
Outcome<void> DoInParallel(size_t count, int threads,
                           const std::function<Outcome<void>(size_t piece, const std::stop_token& stop)>& work);

}  // namespace headrace::sagemaker
