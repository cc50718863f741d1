// What the operations on multipart uploads share.
#pragma once

#include "api/s3/exchange.h"

namespace headrace::api::s3 {

// The upload of the request's uploadId, if the caller may do `action` to its key. NoSuchUpload.
Reply<store::Upload> UploadFor(const Exchange& exchange, std::string_view action);
// partNumber: 1 to 10,000.
Reply<int> PartNumber(const Exchange& exchange);

}  // namespace headrace::api::s3
