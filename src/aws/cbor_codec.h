// RPC v2 CBOR: bodies as RFC 8949, within bounds.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "aws/error.h"
#include "aws/service.h"

namespace headrace::aws {

// A map; an empty body is an empty map. Tag 1 (epoch seconds) becomes a number, byte strings become strings; lengths
// may be indefinite. SerializationException for anything else and beyond kMaxNesting and kMaxValues.
Reply<Json> DecodeCbor(std::string_view bytes);

// Numbers of members named in `timestamps`, also those inside lists, get tag 1.
std::string EncodeCbor(const Json& value, const std::set<std::string, std::less<>>& timestamps);

}  // namespace headrace::aws
