// Presigned URLs of signature version 2 for S3: base64 HMAC-SHA1 in the query.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace headrace::aws {

// The text that such a URL signs. `resource`: "/bucket/key", encoded as in the URL.
std::string StringToSignV2(const http::Request& request, std::string_view resource);

// Whether `signature` is what `secret` makes of the request in path style (a bucket alone is signed as "/bucket/" by
// some) or in virtual-host style.
bool MatchesSignatureV2(const http::Request& request, std::string_view secret, std::string_view signature);

}  // namespace headrace::aws
