// Forms of the Query protocol, gzip bodies, page tokens and points in time.
#include <string_view>

#include "aws/inflate.h"
#include "aws/page_token.h"
#include "aws/query_codec.h"
#include "aws/time.h"
#include "http/message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace headrace;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto call = aws::DecodeQuery(http::QueryParameters(text));
  if (call) {
    const aws::Service service;
    aws::EncodeQueryReply(service, "Op", call->input, "id");
  }
  const auto plain = aws::GunzipBody(text, 10000);
  if (plain && plain->size() > 10000) __builtin_trap();
  aws::ReadPageToken("List", text);
  aws::ParseHttpDate(text);
  if (const auto time = aws::ParseIso8601(text); time && aws::ParseIso8601(aws::Iso8601Millis(*time)) != time)
    __builtin_trap();
  return 0;
}
