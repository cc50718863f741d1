// A body that has been read, handed on to another handler.
#pragma once

#include <string>

#include "http/message.h"

namespace headrace::http {

// Reads `bytes`, which outlive it.
class MemoryBody : public BodyReader {
 public:
  explicit MemoryBody(std::string& bytes) : bytes_(bytes) {}
  Task<Result<size_t>> Read(std::span<char> into) override {
    const size_t count = std::string_view(bytes_).substr(read_).copy(into.data(), into.size());
    read_ += count;
    co_return count;
  }
  std::string* InMemory() override { return read_ == 0 ? &bytes_ : nullptr; }

 private:
  std::string& bytes_;
  size_t read_ = 0;
};

// Lends a request another body for the time of a handler.
class BodyLoan {
 public:
  BodyLoan(Request& request, BodyReader& body) : request_(request), own_(request.body) { request.body = &body; }
  BodyLoan(const BodyLoan&) = delete;
  BodyLoan& operator=(const BodyLoan&) = delete;
  ~BodyLoan() { request_.body = own_; }

 private:
  Request& request_;
  BodyReader* own_;
};

}  // namespace headrace::http
