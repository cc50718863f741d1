// What is kept with an object, between header fields and ObjectInfo.
#pragma once

#include "api/s3/exchange.h"

namespace headrace::api::s3 {

// From the fields of PutObject, CreateMultipartUpload or CopyObject with REPLACE: content headers, x-amz-meta-*, tags,
// ACL, storage class. Refuses what we cannot keep: encryption, object lock, redirects.
Reply<store::ObjectInfo> ReadObjectInfo(const Exchange& exchange);
// "a=1&b=2" of x-amz-tagging.
Reply<store::Pairs> ReadTaggingHeader(const Exchange& exchange);
// If-Match and If-None-Match of a write.
Reply<store::Precondition> ReadWritePrecondition(const Exchange& exchange);

// ETag, Last-Modified, content headers, metadata; with the response-* parameters of the request. `whole`: the reply is
// about all bytes, so the checksum of all bytes may go along when it was asked for.
void WriteObjectInfo(const Exchange& exchange, const store::Object& object, bool whole, http::Response& response);
// x-amz-checksum-* and x-amz-checksum-type.
void WriteChecksums(const std::map<std::string, std::string>& checksums, const std::string& type,
                    http::Response& response);

}  // namespace headrace::api::s3
