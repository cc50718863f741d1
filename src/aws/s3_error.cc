#include "aws/gateway.h"
#include "aws/xml.h"

namespace headrace::aws {

http::Response S3ErrorResponse(const ServiceError& error, const http::Request& request) {
  http::Response response;
  response.status = error.status;
  response.headers.Set("x-amz-request-id", request.id);
  if (request.method == "HEAD" || error.status == 304) return response;
  XmlWriter xml;
  xml.Open("Error").Element("Code", error.code).Element("Message", error.message);
  bool has_resource = false;
  for (const auto& [name, text] : error.details) {
    has_resource = has_resource || name == "Resource";
    xml.Element(name, text);
  }
  if (!has_resource) xml.Element("Resource", http::PercentDecode(request.path));
  xml.Element("RequestId", request.id).Element("HostId", request.id);
  response.headers.Set("Content-Type", "application/xml");
  response.body = xml.Finish();
  return response;
}

}  // namespace headrace::aws
