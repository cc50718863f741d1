// The text that a signature of version 4 signs, from a request's parts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace headrace::aws {

inline constexpr std::string_view kSigV4Algorithm = "AWS4-HMAC-SHA256";

// Lower-case names, sorted.
using SignedHeaders = std::vector<std::string>;

// S3 signs the path encoded once and as it is; the other services take "." and ".." segments and double slashes out
// and encode what was encoded once more.
std::string CanonicalPath(std::string_view path, bool s3);

// Parameters encoded and sorted, without those named `leave_out`.
std::string CanonicalQuery(std::string_view query, std::string_view leave_out = {});

// "name:value\n" for each signed header; fields of one name are joined by commas, runs of blanks are one.
std::string CanonicalHeaders(const http::Headers& headers, const SignedHeaders& names);

std::string JoinNames(const SignedHeaders& names);

std::string CanonicalRequest(std::string_view method, std::string_view canonical_path, std::string_view canonical_query,
                             const http::Headers& headers, const SignedHeaders& names, std::string_view payload_hash);

// `date`: 20260102T030405Z; `scope`: 20260102/us-west-2/s3/aws4_request.
std::string StringToSign(std::string_view date, std::string_view scope, std::string_view canonical_request);

std::string DeriveSigningKey(std::string_view secret, std::string_view day, std::string_view region,
                             std::string_view service);

}  // namespace headrace::aws
