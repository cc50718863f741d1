// Gunzip: a gzip file (any number of members one after the other) read from front to back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"

namespace headrace::jobs {

class Gunzip {
 public:
  // `name` is for messages, and so is `why`, the reason to take it for gzip. A file of no bytes has no content.
  explicit Gunzip(Descriptor file, std::string name, std::string why = "");
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;
  ~Gunzip();

  // Up to `size` > 0 bytes into `out`, and how many; 0 at the end.
  Result<size_t> Read(char* out, size_t size);
  uint64_t consumed() const { return consumed_; }  // compressed bytes read so far

 private:
  Result<bool> Refill();
  Status Step();

  struct State;
  std::unique_ptr<State> state_;
  Descriptor file_;
  std::string name_, why_;
  std::vector<char> input_;
  uint64_t consumed_ = 0;        // compressed bytes read
  bool between_members_ = true;  // the file may end here
};

}  // namespace headrace::jobs
