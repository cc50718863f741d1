// Calls with JSON documents in and out, for the layer above the clients. They throw ServiceError.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "headrace/sagemaker.h"

namespace headrace::sagemaker {

using Json = nlohmann::json;

Json CallWith(const Client& client, std::string_view operation, const Json& input, const std::stop_token& stop = {});

// A member's text; "" when it is absent or something else.
std::string TextMember(const Json& document, const char* name);
// A number; `otherwise` when it is absent or something else.
double NumberMember(const Json& document, const char* name, double otherwise = 0);
// A list or object; an empty one when it is absent or something else.
const Json& ListMember(const Json& document, const char* name);
const Json& ObjectMember(const Json& document, const char* name);
const Json& ListMember(Json&& document, const char* name) = delete;  // it would not live long enough
const Json& ObjectMember(Json&& document, const char* name) = delete;

// Sets a member, unless the text is "".
void PutText(Json& object, const char* name, const std::string& text);

// [{"Key": …, "Value": …}]
Json TagList(const std::vector<Tag>& tags);

// What name_from_base() made it of; the whole name when that was somebody else.
std::string BaseFromName(const std::string& name);

[[noreturn]] void ThrowInvalid(const std::string& message);

}  // namespace headrace::sagemaker
