// Presigned URLs of signature version 2 for S3: base64 HMAC-SHA1 in the query.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace headrace::aws {

// The text that such a URL signs. `bucket_prefix`: "/bucket" for virtual-host style, "" for path style.
std::string StringToSignV2(const http::Request& request, std::string_view bucket_prefix);

// Whether `signature` is what `secret` makes of the request in path style or in virtual-host style.
bool MatchesSignatureV2(const http::Request& request, std::string_view secret, std::string_view signature);

}  // namespace headrace::aws
