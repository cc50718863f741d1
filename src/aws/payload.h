// PayloadReader: an S3 request's body as the object's bytes. Undoes aws-chunked framing and checks, while the bytes
// pass, everything the request says about them: chunk signatures, x-amz-content-sha256, Content-MD5,
// x-amz-decoded-content-length and x-amz-checksum-* in headers or trailers.
//
//   auto& payload = aws::PayloadReader::Of(request);
//   while (true) {
//     auto size = co_await payload.Read(buffer);
//     if (!size) co_return Error(payload.failure());   // set: the request is wrong; not set: the connection broke
//     if (*size == 0) break;                           // only now is everything verified: commit nothing before
//     ...
//   }
//   ETag = payload.md5(); stored checksum = payload.checksum();
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aws/checksum.h"
#include "aws/error.h"
#include "http/message.h"

namespace headrace::aws {

// What signs the chunks of STREAMING-AWS4-HMAC-SHA256-PAYLOAD.
struct ChunkSigning {
  std::string key;             // the derived signing key
  std::string date;            // 20260102T030405Z
  std::string scope;           // 20260102/us-west-2/s3/aws4_request
  std::string seed_signature;  // of the request itself, hex
};

class PayloadReader : public http::BodyReader {
 public:
  // Reads what `request` announces; `raw` is its body as the server delivers it and outlives the reader. `signing` is
  // needed for signed chunks only.
  static Reply<std::unique_ptr<PayloadReader>> Make(const http::Request& request, http::BodyReader& raw,
                                                    std::optional<ChunkSigning> signing);
  // The reader that the gateway has put into an S3 request.
  static PayloadReader& Of(http::Request& request);

  ~PayloadReader() override;

  // Additionally computes `algorithm` over the body; call before the first Read.
  virtual void Compute(ChecksumAlgorithm algorithm) = 0;
  // The same, unless another is computed already.
  virtual void ComputeOneAtLeast(ChecksumAlgorithm algorithm) = 0;

  // For large bodies: from now on Read leaves hashing to the caller, who gives every piece that Read delivers, in
  // order, to each of these, side by side on threads of its choice, and calls Verify once Read has returned 0 and all
  // are done. They live as long as the reader. Before the first Read, once.
  struct Hasher {
    std::function<void(std::string_view)> update;
    bool slow = false;  // takes longer than reading the bytes
  };
  virtual std::vector<Hasher> TakeHashers() = 0;
  virtual Status Verify() = 0;

  // After Read has returned an error: what the client is told; empty when it is not the client's message that is wrong
  // but the connection.
  virtual const std::optional<ServiceError>& failure() const = 0;

  // After Read has returned 0, and Verify has succeeded where hashers were taken:
  virtual const std::string& md5() const = 0;  // 16 bytes
  virtual uint64_t size() const = 0;           // bytes delivered
  // The checksum that the client sent (and that was right), or the first asked for with Compute.
  virtual std::optional<ChecksumValue> checksum() const = 0;
  virtual std::optional<ChecksumValue> checksum(ChecksumAlgorithm algorithm) const = 0;

  // The algorithm of the checksum that the client sends, in a header or a trailer.
  virtual std::optional<ChecksumAlgorithm> announced_checksum() const = 0;

  // How many bytes will be delivered, where the request says so.
  virtual std::optional<uint64_t> announced_size() const = 0;
};

}  // namespace headrace::aws
