// Checksums of completed multipart uploads, from those of their parts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/s3/exchange.h"
#include "aws/checksum.h"

namespace headrace::api::s3 {

// "BASE64-N": the checksum of the parts' checksums. Nothing when a part has none.
std::optional<std::string> CompositeChecksum(aws::ChecksumAlgorithm algorithm,
                                             const std::vector<store::UploadPart>& parts);
// The CRC of all bytes, in base64. Nothing when a part has none, or for SHA.
std::optional<std::string> FullObjectChecksum(aws::ChecksumAlgorithm algorithm,
                                              const std::vector<store::UploadPart>& parts);

// Of a stored object's bytes, in base64: reads them all.
Reply<std::string> ChecksumOfObject(const Exchange& exchange, const store::Object& object,
                                    aws::ChecksumAlgorithm algorithm);
Refusal UnsupportedChecksum();

// The algorithm and type ("COMPOSITE", "FULL_OBJECT") that x-amz-checksum-algorithm and -type of a new upload ask for.
struct UploadChecksum {
  aws::ChecksumAlgorithm algorithm;
  std::string type;
};
Reply<std::optional<UploadChecksum>> ReadUploadChecksum(const Exchange& exchange);

}  // namespace headrace::api::s3
