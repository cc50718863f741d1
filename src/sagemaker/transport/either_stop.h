#pragma once

#include <stop_token>

namespace headrace::sagemaker {

// Stops when either of two tokens does.
class EitherStop {
 public:
  EitherStop(const std::stop_token& one, const std::stop_token& other)
      : one_(one, Relay{&source_}), other_(other, Relay{&source_}) {}
  std::stop_token token() const { return source_.get_token(); }

 private:
  struct Relay {
    std::stop_source* source;
    void operator()() const { source->request_stop(); }
  };
  std::stop_source source_;
  std::stop_callback<Relay> one_, other_;
};

}  // namespace headrace::sagemaker
