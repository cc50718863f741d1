// Query, the protocol of STS and IAM: parameters as a form, answers as XML, both as JSON documents here.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "headrace/aws_clients.h"

namespace headrace::sagemaker {

// "Action=GetRole&Version=2010-05-08&RoleName=x"; lists become NAME.member.N.
std::string QueryForm(std::string_view operation, std::string_view version, const nlohmann::json& input);

// The members of <OperationResult>: text for what has no children, a list for what has <member>s.
Outcome<nlohmann::json> ReadQueryReply(std::string_view operation, std::string_view body);

}  // namespace headrace::sagemaker
