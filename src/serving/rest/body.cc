#include "serving/rest/body.h"

#include <algorithm>
#include <optional>
#include <span>

#include <strings.h>
#include <zlib.h>

namespace headrace::serving {
namespace {

constexpr size_t kPiece = 65536;
constexpr size_t kBelieved = size_t{16} << 20;  // of the length a client states, before its bytes come
constexpr size_t kWorthCompressing = 1400;      // less fits into one packet anyway

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

Result<Buffer> Inflate(std::string_view compressed, size_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return Fail(ErrorCode::kInternal, "gzip: cannot start");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(std::min<size_t>(compressed.size(), UINT32_MAX));
  Buffer text;
  int code = Z_OK;
  while (code == Z_OK && text.size() <= limit) {
    const std::span<char> room = text.Room(kPiece);
    const auto most = static_cast<uInt>(std::min<size_t>(room.size(), UINT32_MAX));
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = most;
    code = inflate(&stream, Z_NO_FLUSH);
    text.Filled(most - stream.avail_out);
    if (code == Z_OK && stream.avail_out == most && stream.avail_in == 0) code = Z_BUF_ERROR;
  }
  inflateEnd(&stream);
  if (text.size() > limit) return Fail(ErrorCode::kResourceExhausted, "body: over {} bytes when inflated", limit);
  if (code != Z_STREAM_END)
    return Fail(ErrorCode::kInvalidArgument, "body: Content-Encoding is gzip, its bytes are not");
  return text;
}

std::string Deflate(std::string_view text) {
  z_stream stream{};
  std::string compressed;
  if (deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return compressed;
  compressed.resize(deflateBound(&stream, text.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_out = static_cast<uInt>(compressed.size());
  const int code = deflate(&stream, Z_FINISH);
  compressed.resize(code == Z_STREAM_END ? stream.total_out : 0);
  deflateEnd(&stream);
  return compressed;
}

bool AcceptsGzip(std::string_view accept_encoding) {
  while (!accept_encoding.empty()) {
    const size_t end = std::min(accept_encoding.find(','), accept_encoding.size());
    const std::string_view item = accept_encoding.substr(0, end);
    accept_encoding.remove_prefix(std::min(end + 1, accept_encoding.size()));
    const std::string_view name = Trimmed(item.substr(0, item.find(';')));
    if (name.size() != 4 || ::strncasecmp(name.data(), "gzip", 4) != 0) continue;
    const size_t weight = item.find("q=");
    // "q=0", "q=0.0": not acceptable.
    return weight == std::string_view::npos || item.find_first_of("123456789", weight) != std::string_view::npos;
  }
  return false;
}

void CompressBody(const http::Request& request, http::Response& response) {
  auto* text = std::get_if<std::string>(&response.body);
  if (text == nullptr || text->size() < kWorthCompressing || text->size() > UINT32_MAX) return;
  response.headers.Add("Vary", "Accept-Encoding");
  if (request.method == "HEAD" || !AcceptsGzip(request.headers.Get("Accept-Encoding"))) return;
  std::string compressed = Deflate(*text);
  if (compressed.empty() || compressed.size() >= text->size()) return;
  *text = std::move(compressed);
  response.headers.Set("Content-Encoding", "gzip");
}

http::Task<Result<Buffer>> ReadBody(http::Request& request, size_t limit) {
  const auto too_large = [&](uint64_t size) {
    return Fail(ErrorCode::kResourceExhausted, "body: {} bytes, wanted at most {}", size, limit);
  };
  const std::optional<uint64_t> length = request.content_length;
  if (length.value_or(0) > limit) co_return too_large(*length);
  Buffer body;
  body.Reserve(std::min<size_t>(length.value_or(0), kBelieved));
  while (!length || body.size() == 0 || body.size() < *length) {
    const std::span<char> room = body.Room(length ? 1 : kPiece);
    auto size = co_await request.body->Read(room);
    if (!size) co_return Fail(ErrorCode::kDataLoss, "{}", size.error().message());  // gone or too slow: the client's
    if (*size == 0) break;
    body.Filled(*size);
    if (body.size() > limit) co_return too_large(body.size());
  }
  const std::string encoding = request.headers.Get("Content-Encoding");
  if (encoding.empty() || ::strcasecmp(encoding.c_str(), "identity") == 0) co_return body;
  if (::strcasecmp(encoding.c_str(), "gzip") == 0) co_return Inflate(body.bytes(), limit);
  co_return Fail(ErrorCode::kInvalidArgument, "Content-Encoding: found '{}', wanted gzip", encoding.substr(0, 40));
}

}  // namespace headrace::serving
