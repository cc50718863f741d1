// What a person sees who opens the server's address in a browser.
#pragma once

#include <string>

#include "http/message.h"

namespace headrace::apps {

// An unsigned GET or HEAD that would rather have HTML.
bool IsFromBrowser(const http::Request& request);

// Of `/`: what this is, and what to do next (200). Of other paths: that they want a signature (403). `command`: what
// sets a shell up, as "headrace env".
http::Response WelcomePage(const http::Request& request, const std::string& command);

}  // namespace headrace::apps
