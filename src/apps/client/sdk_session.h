// The SDK's session of a subcommand: the server or AWS that the environment names, else the server of a data directory.
#pragma once

#include <string>

#include "headrace/sagemaker.h"

namespace headrace::apps {

// Throws kNotFound with what to do when the environment names nobody and no server has begun to serve from `data_dir`.
sagemaker::Session FindSession(const std::string& data_dir);

// How far an upload has come, drawn on standard error.
sagemaker::TransferOptions ShownTransfer(const std::string& what);

}  // namespace headrace::apps
