#include "aws/not_here.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "aws/query_codec.h"
#include "aws/xml.h"

namespace headrace::aws {
namespace {

constexpr size_t kLongestName = 128;

}  // namespace

std::string NotHereText(std::string_view service, std::string_view asked) {
  return fmt::format(
      "This is Headrace, it has no {} ({}). It has S3, SageMaker, SageMaker Runtime, CloudWatch, CloudWatch Logs, STS "
      "and IAM.",
      service.empty() ? "such service" : service.substr(0, kLongestName),
      asked.empty() ? "no operation named" : asked.substr(0, kLongestName));
}

ServiceError UnknownPath(std::string_view service, const http::Request& request) {
  return {"UnknownOperationException", NotHereText(service, request.method + " " + request.path), 404, {}, {}};
}

bool SpeaksRestXml(std::string_view service) {
  constexpr std::string_view kNames[] = {"route53",     "cloudfront",       "s3express",
                                         "s3-outposts", "s3-object-lambda", "cloudsearch"};
  return std::ranges::find(kNames, service) != std::end(kNames);
}

bool IsS3ControlPath(std::string_view path) { return path.starts_with("/v20180820/"); }

ServiceError NoS3Control() { return {"NotImplemented", NotHereText("S3 Control", "/v20180820/"), 501, {}, {}}; }

http::Response RestXmlErrorResponse(const ServiceError& error, const http::Request& request) {
  return http::TextResponse(error.status, "text/xml", EncodeQueryError(nullptr, error, request.id));
}

std::string EncodeEc2Error(const ServiceError& error, std::string_view request_id) {
  XmlWriter xml;
  xml.Open("Response").Open("Errors").Open("Error").Element("Code", error.code).Element("Message", error.message);
  xml.Close().Close().Element("RequestID", request_id);
  return xml.Finish();
}

}  // namespace headrace::aws
