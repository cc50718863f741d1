// The console's files, as console/dist has them, compressed into the program.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace headrace::api::console {

// A file below /console/assets/, which may be kept forever: its path holds a digest of its bytes. 404 for other paths.
http::Response AssetResponse(const http::Request& request, std::string_view name);
// The one page: every place of the console is this page, and its script reads the address.
http::Response PageResponse(const http::Request& request);

}  // namespace headrace::api::console
