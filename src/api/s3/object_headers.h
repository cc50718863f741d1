// What is kept with an object, between header fields and ObjectInfo.
#pragma once

#include "api/s3/exchange.h"

namespace headrace::api::s3 {

// From the fields of PutObject, CreateMultipartUpload or CopyObject with REPLACE: content headers, x-amz-meta-*, tags,
// ACL, storage class, encryption, website redirect. Refuses what we cannot keep (keys of the client's own, object
// lock), and text that no header field could give back.
Reply<store::ObjectInfo> ReadObjectInfo(const Exchange& exchange, const store::Bucket& bucket);
// "a=1&b=2" of x-amz-tagging.
Reply<store::Pairs> ReadTaggingHeader(const Exchange& exchange);
// If-Match and If-None-Match of a write.
Reply<store::Precondition> ReadWritePrecondition(const Exchange& exchange);

// ETag, Last-Modified, content headers, metadata; with the response-* parameters of the request. `whole`: the reply is
// about all bytes, so the checksum of all bytes may go along when it was asked for.
void WriteObjectInfo(const Exchange& exchange, const store::Object& object, bool whole, http::Response& response);
// Whether the request asks for checksums: x-amz-checksum-mode.
bool WantsChecksums(const Exchange& exchange);
// Refuses what Get and Head cannot honour: response-* that no header field can carry, keys of the client's own.
Reply<void> CheckReadFields(const Exchange& exchange);
// x-amz-checksum-* and x-amz-checksum-type.
void WriteChecksums(const std::map<std::string, std::string>& checksums, const std::string& type,
                    http::Response& response);

}  // namespace headrace::api::s3
