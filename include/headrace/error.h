// Error: the one error type of Headrace, thrown by the public API and carried by Result inside.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace headrace {

// What a caller can do about it decides the code, not where it happened.
enum class ErrorCode {
  kInvalidArgument,     // the caller passed something wrong; the message says what was found and what is wanted
  kAlreadyExists,       // the name is taken
  kNotFound,            // a file, layer, feature or dataset that is not there
  kDataLoss,            // bytes are truncated or corrupt; the message names file, record and offset
  kResourceExhausted,   // a stated limit would be exceeded; nothing was allocated
  kFailedPrecondition,  // right call, wrong moment: e.g. fit() before compile()
  kUnavailable,         // network or device; trying again may help
  kInternal,            // a bug in Headrace
};

class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}
  ErrorCode code() const { return code_; }
  // One sentence that names the thing, the value found and the value wanted.
  const std::string& message() const { return message_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  ErrorCode code_;
  std::string message_;
};

}  // namespace headrace
