// What a person sees whose browser asks for an object or anything else that wants a signature.
#pragma once

#include <string>

#include "http/message.h"

namespace headrace::apps {

// An unsigned GET or HEAD that would rather have HTML.
bool IsFromBrowser(const http::Request& request);

// That it wants a signature (403), and what signs: the console, and a shell that `command` sets up, as "headrace env".
http::Response UnsignedPage(const http::Request& request, const std::string& command);

}  // namespace headrace::apps
