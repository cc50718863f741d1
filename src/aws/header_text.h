// Text that goes out in a header field: bytes a field may hold, and RFC 2047's encoded words for all else.
#pragma once

#include <string>
#include <string_view>

namespace headrace::aws {

// Whether a field may carry `text` as it is: printable US-ASCII, blanks and tabs.
bool IsHeaderText(std::string_view text);

// `text` where it IsHeaderText; else as encoded words ("=?UTF-8?B?WsO8cmljaA==?="), several with blanks between them
// where one would be longer than the 75 characters of the RFC. Bytes that are not UTF-8 are taken for ISO-8859-1.
std::string EncodeHeaderText(std::string_view text);

// Whether `name` may be a field's name: a token of RFC 9110.
bool IsHeaderName(std::string_view name);

// The length of the UTF-8 character at the beginning of `text`, or 0.
size_t Utf8CharacterSize(std::string_view text);
bool IsUtf8(std::string_view text);
// Bytes of ISO-8859-1 as UTF-8.
std::string FromLatin1(std::string_view text);

}  // namespace headrace::aws
