// Hostile archives: whatever is in them, nothing appears outside the directory.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/testing/temporary_directory.h"
#include "jobs/archive/unpack.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  headrace::TemporaryDirectory directory;
  std::ofstream(directory / "a.tar", std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  [[maybe_unused]] const auto unpacked = headrace::jobs::UnpackArchive(
      directory / "a.tar", directory / "out", {.total_bytes = 1 << 20, .files = 64, .ratio = 200});
  for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
    if (entry.path().filename() != "a.tar" && entry.path().filename() != "out") std::abort();
  return 0;
}
