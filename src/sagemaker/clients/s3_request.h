// The requests of S3 that clients/s3_*.cc have in common.
#pragma once

#include <string>

#include "sagemaker/clients/call.h"
#include "sagemaker/clients/checksum.h"

namespace headrace::sagemaker {

const Service& S3();

// A request for an object, or for a bucket where `key` is "".
ServiceRequest ObjectRequest(const std::string& operation, const std::string& method, const std::string& bucket,
                             const std::string& key);
// With a body's checksums as headers.
void AddChecksums(ServiceRequest& request, const UploadChecksums& checksums);
// An ETag without its quotes.
std::string EtagOf(const HttpReply& reply);

}  // namespace headrace::sagemaker
