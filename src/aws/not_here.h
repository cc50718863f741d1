// What AWS has and this server has not: other services, and paths of services that are here.
#pragma once

#include <string>
#include <string_view>

#include "aws/error.h"
#include "http/message.h"

namespace headrace::aws {

// "This is Headrace, it has no dynamodb (ListTables). It has S3, …"; `asked` is the operation, or the method and path.
std::string NotHereText(std::string_view service, std::string_view asked);

// For services that are told apart by paths: UnknownOperationException, 404.
ServiceError UnknownPath(std::string_view service, const http::Request& request);

// Whether the service of that signing name answers in XML, by paths.
bool SpeaksRestXml(std::string_view service);

// Paths of S3 Control (access points, jobs, …), which signs as S3.
bool IsS3ControlPath(std::string_view path);
ServiceError NoS3Control();

// <ErrorResponse><Error>…, as Route 53 and S3 Control say it.
http::Response RestXmlErrorResponse(const ServiceError& error, const http::Request& request);
// <Response><Errors>…: EC2's own form.
std::string EncodeEc2Error(const ServiceError& error, std::string_view request_id);

}  // namespace headrace::aws
