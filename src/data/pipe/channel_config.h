// What a training job says about its channels: inputdataconfig.json.
#pragma once

#include <string>

#include "base/result.h"

namespace headrace::data {

// Passes when CONFIG_DIR/inputdataconfig.json lists `channel` in Pipe mode. Otherwise the error says what to do: which
// channels there are, or how to read this one in its mode (its files are in PIPE_DIR/CHANNEL).
Status CheckPipeChannel(const std::string& config_dir, const std::string& pipe_dir, const std::string& channel);

// "File", "Pipe" or "FastFile": as SM_INPUT_DATA_CONFIG says, or else CONFIG_DIR/inputdataconfig.json. "File" for a
// channel that neither knows: outside a job there are only files.
Result<std::string> InputModeOf(const std::string& config_dir, const std::string& channel);
// Whether the job deals the channel's objects out to its hosts, as the same say; false for one that neither knows.
Result<bool> IsSharded(const std::string& config_dir, const std::string& channel);

}  // namespace headrace::data
