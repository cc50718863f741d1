// For tests: runs a coroutine to its end on this thread.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "http/message.h"

namespace headrace::aws {

template <typename T>
T Await(http::Task<T> task) {
  boost::asio::io_context context;
  std::optional<T> outcome;
  std::exception_ptr failure;
  boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr thrown, T value) {
    failure = thrown;
    outcome.emplace(std::move(value));
  });
  context.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*outcome);
}

// A body that hands out at most `step` bytes a read.
class TextBody : public http::BodyReader {
 public:
  explicit TextBody(std::string bytes, size_t step = size_t{1} << 20) : bytes_(std::move(bytes)), step_(step) {}
  http::Task<Result<size_t>> Read(std::span<char> into) override {
    const size_t count = bytes_.copy(into.data(), std::min(into.size(), step_), done_);
    done_ += count;
    co_return count;
  }

 private:
  std::string bytes_;
  size_t step_, done_ = 0;
};

}  // namespace headrace::aws
