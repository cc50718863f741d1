#include "http/response_writer.h"

#include <ctime>
#include <vector>

#include <strings.h>
#include <unistd.h>

#include "http/request_parser.h"

namespace headrace::http {
namespace {

using Stream = std::shared_ptr<BodyReader>;
constexpr size_t kPiece = 65536;
constexpr size_t kWithHead = 16384;  // bodies up to here travel in one write with the head

// Fri, 02 Jan 2026 03:04:05 GMT
std::string HttpDate(UnixMillis now) {
  const std::time_t seconds = now / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[40];
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return text;
}

bool HasBody(int status) { return status >= 200 && status != 204 && status != 304; }

// What Content-Length says; nothing for a stream of unknown size.
std::optional<uint64_t> Length(const Response& response) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return text->size();
  if (const auto* file = std::get_if<FileRange>(&response.body)) return file->size;
  if (std::holds_alternative<Stream>(response.body)) return response.content_length;
  return response.content_length.value_or(0);
}

// Line ends in a value would begin a field of the sender's choice.
void AppendField(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ");
  for (const char c : value) head += static_cast<unsigned char>(c) < 0x20 && c != '\t' ? ' ' : c;
  head += "\r\n";
}

bool OfServer(const std::string& name) {
  for (const char* own : {"content-length", "transfer-encoding", "connection", "date", "server"})
    if (::strcasecmp(name.c_str(), own) == 0) return true;
  return false;
}

// Shorter when the file is.
std::string Read(const FileRange& range) {
  std::string bytes(range.size, '\0');
  const ssize_t n = ::pread(range.file->get(), bytes.data(), bytes.size(), static_cast<off_t>(range.offset));
  bytes.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return bytes;
}

class Writer {
 public:
  Writer(Transport& transport, Pace& pace) : transport_(transport), pace_(pace) {}

  // `first` is framing, `second` part of the body.
  Task<Status> Write(std::string_view first, std::string_view second) {
    while (!first.empty() || !second.empty()) {
      pace_.Begin();
      auto sent = co_await transport_.WriteSome(first, second, pace_.Allowance());
      const size_t of_first = std::min(sent.value_or(0), first.size());
      const size_t of_second = sent.value_or(0) - of_first;
      pace_.End(of_second);
      if (!sent) co_return tl::unexpected<Error>(std::move(sent.error()));
      first.remove_prefix(of_first);
      second.remove_prefix(of_second);
    }
    co_return Status();
  }

  Task<Status> Write(const FileRange& range) {
    uint64_t offset = range.offset, left = range.size;
    while (left > 0) {
      pace_.Begin();
      auto sent = co_await transport_.SendSome(range.file->get(), offset, left, pace_.Allowance());
      pace_.End(sent.value_or(0));
      if (!sent) co_return tl::unexpected<Error>(std::move(sent.error()));
      if (*sent == 0) co_return Fail(ErrorCode::kDataLoss, "file: ends {} bytes early", left);
      offset += *sent;
      left -= *sent;
    }
    co_return Status();
  }

  Task<Status> Write(BodyReader& body, std::optional<uint64_t> length, bool chunked) {
    std::vector<char> piece(kPiece);
    uint64_t sent = 0;
    while (true) {
      auto size = co_await body.Read(piece);
      if (!size) co_return tl::unexpected<Error>(std::move(size.error()));
      if (*size == 0) break;
      sent += *size;
      if (length && sent > *length) co_return Fail(ErrorCode::kInternal, "body: longer than its length {}", *length);
      const std::string_view bytes(piece.data(), *size);
      const std::string head = chunked ? fmt::format("{:x}\r\n", *size) : std::string();
      if (auto done = co_await Write(head, bytes); !done) co_return done;
      if (chunked) {
        if (auto done = co_await Write("\r\n", {}); !done) co_return done;
      }
    }
    if (length && sent < *length) co_return Fail(ErrorCode::kInternal, "body: {} of {} bytes", sent, *length);
    if (chunked) co_return co_await Write("0\r\n\r\n", {});
    co_return Status();
  }

 private:
  Transport& transport_;
  Pace& pace_;
};

}  // namespace

std::string ResponseHead(const Response& response, Framing& framing, UnixMillis now) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, ReasonPhrase(response.status));
  for (const auto& field : response.headers.fields())
    if (!OfServer(field.name)) AppendField(head, field.name, field.value);
  if (HasBody(response.status)) {
    const auto length = Length(response);
    if (length) {
      AppendField(head, "Content-Length", std::to_string(*length));
    } else if (!framing.http_1_0) {
      AppendField(head, "Transfer-Encoding", "chunked");
    } else {
      framing.keep_alive = false;
    }
  } else if (response.status == 304 && response.content_length) {
    AppendField(head, "Content-Length", std::to_string(*response.content_length));
  }
  AppendField(head, "Date", HttpDate(now));
  AppendField(head, "Server", "headrace");
  if (!framing.keep_alive) {
    AppendField(head, "Connection", "close");
  } else if (framing.http_1_0) {
    AppendField(head, "Connection", "keep-alive");
  }
  return head += "\r\n";
}

Task<Status> WriteResponse(Transport& transport, Response& response, Framing& framing, UnixMillis now, Pace& pace) {
  Writer writer(transport, pace);
  const std::string head = ResponseHead(response, framing, now);
  if (framing.head_only || !HasBody(response.status)) co_return co_await writer.Write(head, {});
  if (const auto* text = std::get_if<std::string>(&response.body)) {
    // TLS sends the two parts as two records, so what is small is joined first.
    if (text->size() <= kWithHead && transport.secure()) {
      const std::string whole = head + *text;
      co_return co_await writer.Write({}, whole);
    }
    co_return co_await writer.Write(head, *text);
  }
  const auto* range = std::get_if<FileRange>(&response.body);
  if (range != nullptr && range->size <= kWithHead) {
    const std::string bytes = Read(*range);
    if (bytes.size() == range->size) co_return co_await writer.Write(head, bytes);
  }
  if (auto done = co_await writer.Write(head, {}); !done) co_return done;
  if (range != nullptr) co_return co_await writer.Write(*range);
  if (auto* stream = std::get_if<Stream>(&response.body); stream != nullptr && *stream != nullptr) {
    const auto length = Length(response);
    co_return co_await writer.Write(**stream, length, !length && !framing.http_1_0);
  }
  co_return Status();
}

}  // namespace headrace::http
