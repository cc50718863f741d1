#include "serving/rest/body.h"

#include <algorithm>

#include <strings.h>
#include <zlib.h>

namespace headrace::serving {
namespace {

constexpr size_t kPadding = 64;
constexpr size_t kPiece = 65536;

}  // namespace

Result<std::string> Inflate(std::string_view compressed, size_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return Fail(ErrorCode::kInternal, "gzip: cannot start");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(std::min<size_t>(compressed.size(), UINT32_MAX));
  std::string text;
  int code = Z_OK;
  while (code == Z_OK) {
    const size_t before = text.size();
    text.resize(before + std::max(kPiece, before));
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + before);
    stream.avail_out = static_cast<uInt>(std::min<size_t>(text.size() - before, UINT32_MAX));
    code = inflate(&stream, Z_NO_FLUSH);
    text.resize(static_cast<size_t>(reinterpret_cast<char*>(stream.next_out) - text.data()));
    if (text.size() > limit) break;
    if (code == Z_OK && text.size() == before && stream.avail_in == 0) code = Z_BUF_ERROR;
  }
  inflateEnd(&stream);
  if (text.size() > limit) return Fail(ErrorCode::kResourceExhausted, "body: over {} bytes when inflated", limit);
  if (code != Z_STREAM_END)
    return Fail(ErrorCode::kInvalidArgument, "body: Content-Encoding is gzip, its bytes are not");
  text.reserve(text.size() + kPadding);
  return text;
}

http::Task<Result<std::string>> ReadBody(http::Request& request, size_t limit) {
  const auto too_large = [&](uint64_t size) {
    return Fail(ErrorCode::kResourceExhausted, "body: {} bytes, wanted at most {}", size, limit);
  };
  if (request.content_length.value_or(0) > limit) co_return too_large(*request.content_length);
  std::string body;
  // The length a client states is believed only as far as bytes follow.
  body.reserve(std::min<size_t>(request.content_length.value_or(0), size_t{4} << 20) + kPadding);
  size_t filled = 0;
  while (true) {
    const size_t more = std::max(kPiece, std::min<size_t>(body.capacity() - kPadding - filled, size_t{1} << 20));
    if (body.capacity() < filled + more + kPadding) body.reserve(std::max(filled * 2, filled + more) + kPadding);
    body.resize(filled + more);
    const std::span<char> room(body.data() + filled, more);
    auto size = co_await request.body->Read(room);
    if (!size) co_return tl::unexpected<Error>(std::move(size.error()));
    filled += *size;
    body.resize(filled);
    if (*size == 0) break;
    if (filled > limit) co_return too_large(filled);
  }
  const std::string encoding = request.headers.Get("Content-Encoding");
  if (encoding.empty() || ::strcasecmp(encoding.c_str(), "identity") == 0) co_return body;
  if (::strcasecmp(encoding.c_str(), "gzip") == 0) co_return Inflate(body, limit);
  co_return Fail(ErrorCode::kInvalidArgument, "Content-Encoding: found '{}', wanted gzip", encoding.substr(0, 40));
}

}  // namespace headrace::serving
