// How far an upload or a download has come, drawn on standard error.
#pragma once

#include <string>

#include "headrace/aws_clients.h"

namespace headrace::apps {

sagemaker::TransferOptions ShownTransfer(const std::string& what);

}  // namespace headrace::apps
