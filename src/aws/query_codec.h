// The Query protocol: forms in, XML out.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/error.h"
#include "aws/service.h"

namespace headrace::aws {

struct QueryCall {
  std::string action, version;
  Json input;  // every leaf a string
};

// "Dimensions.member.1.Name=n" to {"Dimensions": [{"Name": "n"}]}, "Attributes.entry.1.key=k&….value=v" to
// {"Attributes": {"k": "v"}}. MalformedQueryString beyond the bounds, or when one name is both a value and a list.
Reply<QueryCall> DecodeQuery(const std::vector<std::pair<std::string, std::string>>& parameters);

// <ActionResponse xmlns=…><ActionResult>…</ActionResult><ResponseMetadata>…. Members in service.timestamps are written
// as ISO 8601.
std::string EncodeQueryReply(const Service& service, std::string_view action, const Json& reply,
                             std::string_view request_id);

std::string EncodeQueryError(const Service* service, const ServiceError& error, std::string_view request_id);

}  // namespace headrace::aws
