#include "http/message.h"

#include <algorithm>
#include <array>

#include <strings.h>

namespace headrace::http {
namespace {

bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool Unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '~';
}

std::string Decode(std::string_view text, bool plus_is_blank) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
    if (low >= 0) {
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += plus_is_blank && text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

}  // namespace

void Headers::Add(std::string name, std::string value) { fields_.push_back({std::move(name), std::move(value)}); }

void Headers::Set(std::string name, std::string value) {
  Remove(name);
  Add(std::move(name), std::move(value));
}

void Headers::Remove(std::string_view name) {
  std::erase_if(fields_, [&](const Field& field) { return SameName(field.name, name); });
}

const std::string* Headers::Find(std::string_view name) const {
  for (const Field& field : fields_)
    if (SameName(field.name, name)) return &field.value;
  return nullptr;
}

std::string Headers::Get(std::string_view name) const {
  const std::string* value = Find(name);
  return value != nullptr ? *value : std::string();
}

Task<Result<std::string>> ReadAll(BodyReader& body, size_t limit) {
  if (std::string* whole = body.InMemory(); whole != nullptr) {
    if (whole->size() > limit) co_return Fail(ErrorCode::kResourceExhausted, "body: over {} bytes", limit);
    co_return std::move(*whole);
  }
  std::string all;
  std::array<char, 16384> piece;
  while (true) {
    auto size = co_await body.Read(piece);
    if (!size) co_return tl::unexpected<Error>(std::move(size.error()));
    if (*size == 0) co_return all;
    if (*size > limit - all.size()) co_return Fail(ErrorCode::kResourceExhausted, "body: over {} bytes", limit);
    all.append(piece.data(), *size);
  }
}

Response TextResponse(int status, std::string_view content_type, std::string body) {
  Response response;
  response.status = status;
  response.headers.Set("Content-Type", std::string(content_type));
  response.body = std::move(body);
  return response;
}

std::string PercentDecode(std::string_view text) { return Decode(text, false); }

std::string PercentEncode(std::string_view text, bool keep_slash) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (Unreserved(c) || (keep_slash && c == '/')) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

std::vector<std::pair<std::string, std::string>> QueryParameters(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    parameters.emplace_back(Decode(pair.substr(0, equals), true),
                            Decode(pair.substr(std::min(equals + 1, pair.size())), true));
  }
  return parameters;
}

std::string MediaType(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return std::tolower(c); });
  return type;
}

}  // namespace headrace::http
