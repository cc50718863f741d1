#include "aws/page_token.h"

#include <fmt/format.h>

#include "aws/digest.h"
#include "aws/limits.h"

namespace headrace::aws {

std::string MakePageToken(std::string_view listing, std::string_view position) {
  return Base64(fmt::format("{}\n{}", listing, position));
}

Reply<std::string> ReadPageToken(std::string_view listing, std::string_view token, std::string_view code) {
  const auto refusal = [&] {
    return Refuse(std::string(code), "NextToken: not a token that this operation has given.");
  };
  if (token.size() > kMaxPageToken) return refusal();
  auto text = DecodeBase64(token);
  if (!text || text->size() <= listing.size() || !text->starts_with(listing) || (*text)[listing.size()] != '\n')
    return refusal();
  return text->substr(listing.size() + 1);
}

}  // namespace headrace::aws
