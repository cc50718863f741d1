// One request to S3 on its way through an operation.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/s3/errors.h"
#include "aws/identity.h"
#include "base/thread_pool.h"
#include "http/message.h"
#include "store/objects/object_store.h"

namespace headrace::api::s3 {

struct Exchange {
  const aws::Call& call;
  http::Request& request;
  store::ObjectStore& objects;
  ThreadPool& pool;
  std::string bucket, key;  // decoded; empty: the request is about the service, or about the bucket
  std::vector<std::pair<std::string, std::string>> query;
  std::string body;  // of operations that take a document

  const std::string* Parameter(std::string_view name) const;
  std::string ParameterOr(std::string_view name, std::string_view otherwise) const;
  std::string Header(std::string_view name) const { return request.headers.Get(name); }
};

// Path style, or the bucket in Host when the host is BUCKET.DOMAIN of one of `domains` (or of Amazon's S3).
void ReadAddress(Exchange& exchange, const std::vector<std::string>& domains);

http::Response Empty(int status);
// A document of XmlWriter.
http::Response Xml(std::string document);

inline constexpr std::string_view kXmlns = "http://s3.amazonaws.com/doc/2006-03-01/";

// "max-keys" and its like: a number of 0 to 2147483647, cut to `limit`.
Reply<size_t> CountParameter(const Exchange& exchange, std::string_view name, size_t limit);

// Whether encoding-type asks for URL-encoded keys. InvalidArgument.
Reply<bool> EncodesKeys(const Exchange& exchange);

// A time in a listing: of whole seconds, so that it equals Last-Modified.
std::string ListedTime(UnixMillis time);

std::string LowerCase(std::string_view text);  // ASCII
std::string Quoted(std::string_view etag);
// Without quotes and the W/ of weak ones.
std::string Unquoted(std::string_view etag);

}  // namespace headrace::api::s3
