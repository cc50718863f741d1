// x-amz-copy-source: where a copy comes from.
#pragma once

#include <string>
#include <string_view>

#include "api/s3/exchange.h"

namespace headrace::api::s3 {

struct CopySource {
  std::string bucket, key;
};

// "/BUCKET/KEY" or "BUCKET/KEY", URL-encoded (a plus sign is a blank), perhaps with ?versionId=null.
Reply<CopySource> ParseCopySource(std::string_view header);
// The object that the request names as its source, if the caller may read it and the x-amz-copy-source-if-* hold.
Reply<store::Object> FindCopySource(const Exchange& exchange);

}  // namespace headrace::api::s3
