// What a person sees who opens the server's address in a browser.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace headrace::apps {

// An unsigned GET or HEAD that would rather have HTML.
bool IsFromBrowser(const http::Request& request);

// Of `/`: what this is, and what to do next (200). Of other paths: that they want a signature (403). `command`: what
// sets a shell up, as "headrace env".
http::Response WelcomePage(const http::Request& request, const std::string& command);

// A page that loads nothing and is nothing else's frame: `policy` is its Content-Security-Policy. HEAD gets its size.
http::Response HtmlPage(const http::Request& request, int status, std::string page, const std::string& policy);

std::string HtmlEscaped(std::string_view text);

}  // namespace headrace::apps
