// HTTP requests and responses as handlers see them: heads in memory, bodies as streams. No socket, no Beast.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/result.h"

namespace headrace::http {

// What a coroutine of the server returns. Coroutines run on a few threads: what blocks goes through OnPool
// (blocking.h).
template <typename T>
using Task = boost::asio::awaitable<T>;

// Header fields in the order received. Names compare without case; values have no surrounding blanks.
class Headers {
 public:
  struct Field {
    std::string name, value;
  };
  void Add(std::string name, std::string value);  // keeps fields of the same name
  void Set(std::string name, std::string value);  // replaces them
  void Remove(std::string_view name);
  // The first field of that name, or nullptr; valid until the next change.
  const std::string* Find(std::string_view name) const;
  std::string Get(std::string_view name) const;  // "" when absent
  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  const std::vector<Field>& fields() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

// "text/csv" of "Text/CSV; charset=utf-8".
std::string MediaType(std::string_view content_type);

// A body, pulled piece by piece.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // Fills part of `into` and returns its size; 0 at the end. An error (the peer is gone, a deadline has passed, a
  // limit or checksum is violated) ends the stream.
  virtual Task<Result<size_t>> Read(std::span<char> into) = 0;
  // A body that is in memory as a whole and of which nothing has been read: whoever asks may move it away. Others:
  // null.
  virtual std::string* InMemory() { return nullptr; }
};

// The whole rest of `body`, moved where it is in memory; kResourceExhausted as soon as it exceeds `limit` bytes.
Task<Result<std::string>> ReadAll(BodyReader& body, size_t limit);

struct Request {
  std::string id;      // unique; goes into logs and the service's request-id header
  std::string method;  // "GET"
  std::string target;  // as received: path and query, still percent-encoded
  std::string path;    // the part before '?', still percent-encoded
  std::string query;   // the part behind '?', still percent-encoded; "" without one
  Headers headers;
  std::string peer;     // address of the client
  bool secure = false;  // came over TLS
  UnixMillis received = 0;
  std::optional<uint64_t> content_length;  // absent for chunked bodies; 0 without a body
  BodyReader* body = nullptr;              // never null in a handler; valid until the handler returns
  std::string log_detail;                  // handlers may set it: service and operation, for the access log

  // A handler says so once it has verified who asks: the connection is then none of those that make room for others.
  void Trust() const {
    if (trusted != nullptr) *trusted = true;
  }
  std::atomic<bool>* trusted = nullptr;  // the connection's
};

// Part of a file, sent with sendfile where the connection is plain.
struct FileRange {
  std::shared_ptr<const Descriptor> file;
  uint64_t offset = 0, size = 0;
};

struct Response {
  int status = 200;
  Headers headers;  // Content-Length, Date, Server and Connection are the server's; HEAD handlers set content_length
  // A BodyReader is sent chunked unless content_length says its size.
  std::variant<std::monostate, std::string, FileRange, std::shared_ptr<BodyReader>> body;
  std::optional<uint64_t> content_length;  // for HEAD (what GET would send) and for BodyReader
};

using Handler = std::function<Task<Response>(Request&)>;

Response TextResponse(int status, std::string_view content_type, std::string body);

// Percent-decoding ("%2F" to "/"; '+' stays) and encoding with the unreserved set A-Za-z0-9-_.~ (and '/' if asked).
std::string PercentDecode(std::string_view text);
std::string PercentEncode(std::string_view text, bool keep_slash);
// The query's parameters, decoded ('+' is a blank), in order.
std::vector<std::pair<std::string, std::string>> QueryParameters(std::string_view query);

}  // namespace headrace::http
