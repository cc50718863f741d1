// Keras's HDF5 files: any bytes become a model, or weights in a model of ours, or an error. What HDF5 itself makes of
// damaged structures is its own; this looks for what we believe of them.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "headrace/keras.h"

namespace {

// The library opens names: a file in memory has one.
class MemoryFile {
 public:
  MemoryFile(const uint8_t* bytes, size_t size) : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    for (size_t have = 0; have < size;) {
      const ssize_t n = ::write(fd_, bytes + have, size - have);
      if (n <= 0) break;
      have += static_cast<size_t>(n);
    }
  }
  MemoryFile(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(fd_); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace headrace::keras;
  const MemoryFile file(bytes, size);
  try {
    (void)LoadModel(file.path());
  } catch (const headrace::Error&) {
  }
  try {
    Sequential model({Dense(4, {.input_shape = {3}})}, {.seed = 1});
    model.load_weights(file.path());
  } catch (const headrace::Error&) {
  }
  return 0;
}
