// A request line and headers, as lines of text: parsing the claim of a signature, canonicalising, both versions.
#include <optional>
#include <string>
#include <string_view>

#include "aws/auth.h"
#include "aws/s3_request.h"

namespace {

using headrace::aws::SigningKey;

class AnyKey : public headrace::aws::KeyLookup {
 public:
  std::optional<SigningKey> Find(std::string_view id) const override {
    return SigningKey{"secret", "", 0, {"111111111111", "fuzz", std::string(id), "arn"}};
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  headrace::http::Request request;
  const auto line = [&] {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return std::string(one);
  };
  request.method = line();
  request.target = line();
  const size_t mark = std::min(request.target.find('?'), request.target.size());
  request.path = request.target.substr(0, mark);
  request.query = request.target.substr(std::min(mark + 1, request.target.size()));
  while (!text.empty()) {
    const std::string field = line();
    const size_t colon = std::min(field.find(':'), field.size());
    request.headers.Add(field.substr(0, colon), field.substr(std::min(colon + 1, field.size())));
  }
  headrace::aws::ClaimedService(request);
  const auto access = headrace::aws::CheckS3Access(request, AnyKey(), 1767323045000);
  if (access) headrace::aws::PrepareS3Request(request, access->claim);
  if (const auto claim = headrace::aws::ParseClaim(request)) {
    // Nobody guesses an HMAC: a match of any other signature is a hole.
    auto forged = *claim;
    forged.signature = "0000000000000000000000000000000000000000000000000000000000000000";
    if (headrace::aws::CheckSignature(forged, request, *AnyKey().Find("x"), "hash")) __builtin_trap();
  }
  return 0;
}
