#pragma once

#include <chrono>
#include <stop_token>

namespace headrace::sagemaker {

// Waits for so long. Throws ServiceError "Cancelled" when `stop` says so.
void Pause(std::chrono::milliseconds duration, const std::stop_token& stop);

}  // namespace headrace::sagemaker
