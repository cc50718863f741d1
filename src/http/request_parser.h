// RequestParser: turns bytes into request heads and undoes chunked bodies. Sees no socket; the rest of the module sees
// no Beast.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "http/message.h"

namespace headrace::http {

// How a head was refused.
struct BadHead {
  int status = 400;
  std::string reason;
};

class RequestParser {
 public:
  explicit RequestParser(size_t header_limit);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Gives the bytes received so far, from the head's first on. Returns how many the head took, or 0 when more are
  // needed.
  tl::expected<size_t, BadHead> ParseHead(std::string_view bytes);
  // Once the head is there: everything but id, peer, secure, received and body.
  Request TakeRequest();
  bool chunked() const;
  bool keep_alive() const;
  bool http_1_0() const;

  // Chunked bodies: takes bytes from `bytes`, puts decoded ones into `into`.
  struct Piece {
    size_t consumed = 0, produced = 0;
  };
  Result<Piece> DecodeChunked(std::string_view bytes, std::span<char> into);
  bool body_done() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The standard reason phrase, "Not Found"; "Unknown" for others.
std::string_view ReasonPhrase(int status);

}  // namespace headrace::http
