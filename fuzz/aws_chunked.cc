// aws-chunked bodies, cut into reads of any size. What is delivered must never exceed what was announced.
#include <optional>
#include <string>
#include <string_view>

#include "aws/payload.h"
#include "aws/testing/await.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace headrace;
  if (size < 2) return 0;
  constexpr const char* kKinds[] = {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
                                    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "UNSIGNED-PAYLOAD"};
  const unsigned choice = bytes[0];
  const size_t announced = bytes[1];
  http::Request request;
  request.method = "PUT";
  request.headers.Add("x-amz-content-sha256", kKinds[choice & 3]);
  request.headers.Add("x-amz-decoded-content-length", std::to_string(announced));
  if ((choice & 4u) != 0) request.headers.Add("x-amz-trailer", "x-amz-checksum-crc32");
  aws::TextBody raw({reinterpret_cast<const char*>(bytes) + 2, size - 2}, 1 + (choice >> 4));
  auto reader = aws::PayloadReader::Make(request, raw, aws::ChunkSigning{"key", "date", "scope", "seed"});
  if (!reader) return 0;
  std::string buffer(1 + (choice >> 3), '\0');
  size_t total = 0;
  while (true) {
    const auto count = aws::Await((*reader)->Read(buffer));
    if (!count) {
      if (!(*reader)->failure()) __builtin_trap();
      break;
    }
    if (*count == 0) {
      if ((choice & 3) != 3 && total != announced) __builtin_trap();
      break;
    }
    total += *count;
    if ((choice & 3) != 3 && total > announced) __builtin_trap();
  }
  return 0;
}
