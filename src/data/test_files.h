// For this module's tests: files that go away by themselves, and bytes as text.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "headrace/error.h"
#include "headrace/tensor.h"

#include "base/testing/temporary_directory.h"
#include "data/byte_source.h"

namespace headrace::data {

inline std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void SetContents(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

// Bytes in memory, handed out at most `step` at a time.
class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::string bytes, size_t step = SIZE_MAX) : bytes_(std::move(bytes)), step_(step) {}
  Result<size_t> Read(char* out, size_t size) override {
    const size_t n = bytes_.copy(out, std::min(size, step_), done_);
    done_ += n;
    return n;
  }

 private:
  std::string bytes_;
  size_t step_, done_ = 0;
};

inline Tensor Floats(const std::vector<float>& values, Shape shape) {
  return Tensor::FromVector(values, std::move(shape));
}

// The message of the headrace::Error that `call` throws, and its code.
template <typename Call>
std::pair<ErrorCode, std::string> ErrorOf(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return {error.code(), error.message()};
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorCode::kInternal, ""};
}

}  // namespace headrace::data
