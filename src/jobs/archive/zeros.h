// Zeros: what the holes of a file are written from.
#pragma once

#include <cstddef>

#include <sys/mman.h>

namespace headrace::jobs {

// Memory that reads as zeros and takes none.
class Zeros {
 public:
  static constexpr size_t kBytes = size_t{64} << 20;

  Zeros() : at_(::mmap(nullptr, kBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {}
  Zeros(const Zeros&) = delete;
  Zeros& operator=(const Zeros&) = delete;
  ~Zeros() {
    if (at_ != MAP_FAILED) ::munmap(at_, kBytes);
  }
  const void* get() const { return at_ == MAP_FAILED ? nullptr : at_; }

 private:
  void* at_;
};

}  // namespace headrace::jobs
