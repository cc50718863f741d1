#include "keras/callbacks/event_file.h"

#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include "headrace/data.h"

#include "base/file.h"
#include "base/result.h"

namespace headrace::keras::internal {
namespace {

// Just enough of protobuf's wire format to write these messages.
template <typename T>
std::string LittleEndian(T value) {
  static_assert(std::endian::native == std::endian::little);
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}
std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
std::string Tag(int field, int wire_type) { return Varint(static_cast<uint64_t>(field) << 3 | wire_type); }
std::string IntField(int field, int64_t value) { return Tag(field, 0) + Varint(static_cast<uint64_t>(value)); }
std::string DoubleField(int field, double value) { return Tag(field, 1) + LittleEndian(value); }
std::string BytesField(int field, const std::string& bytes) { return Tag(field, 2) + Varint(bytes.size()) + bytes; }

// Event{wall_time = 1, step = 2, …}
std::string Event(int64_t step, const std::string& what) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return DoubleField(1, std::chrono::duration<double>(now).count()) + IntField(2, step) + what;
}

// Event.summary = 5 {value = 1 {tag = 1, tensor = 8, metadata = 9}}
std::string ScalarSummary(const std::string& tag, float value) {
  // TensorProto{dtype = 1: DT_FLOAT 1, tensor_shape = 2: {} for a scalar, float_val = 5 packed}
  const std::string tensor = IntField(1, 1) + BytesField(2, "") + BytesField(5, LittleEndian(value));
  // SummaryMetadata{plugin_data = 1 {plugin_name = 1}, data_class = 4: SCALAR 1}
  const std::string metadata = BytesField(1, BytesField(1, "scalars")) + IntField(4, 1);
  return BytesField(5, BytesField(1, BytesField(1, tag) + BytesField(9, metadata) + BytesField(8, tensor)));
}

std::string HostName() {
  char name[256] = "localhost";
  gethostname(name, sizeof name - 1);
  return name;
}

// TensorFlow's naming: any name with "tfevents" is read, the seconds sort the files of a run.
std::string NewFile(const std::string& directory) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  for (int number = 0;; ++number) {
    const std::string path =
        fmt::format("{}/events.out.tfevents.{:010}.{}.{}.{}.v2", directory, seconds, HostName(), getpid(), number);
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) {
      close(fd);
      return path;
    }
    if (errno != EEXIST) {
      throw MakeError(ErrorCode::kNotFound, "TensorBoard: {}: cannot be made: {}", path, std::strerror(errno));
    }
  }
}

}  // namespace

EventFile::EventFile(const std::string& directory) {
  ValueOrThrow(MakeDirectories(directory));
  path_ = NewFile(directory);
  file_.open(path_, std::ios::binary | std::ios::app);
  Write(Event(0, BytesField(3, "brain.Event:2")));  // file_version
  Flush();
}

void EventFile::AddScalar(const std::string& tag, int64_t step, float value) {
  Write(Event(step, ScalarSummary(tag, value)));
}

void EventFile::AddStart(int64_t step) {
  Write(Event(step, BytesField(7, IntField(1, 1))));  // session_log{status = START}
}

void EventFile::Flush() {
  if (!file_.flush()) throw MakeError(ErrorCode::kUnavailable, "TensorBoard: {}: cannot be written", path_);
}

// A TFRecord, as data::TFRecordWriter writes it; but a file that is read while it grows cannot wait for its name.
void EventFile::Write(const std::string& event) {
  const std::string length = LittleEndian<uint64_t>(event.size());
  file_ << length << LittleEndian(data::MaskCrc(data::Crc32c(length))) << event
        << LittleEndian(data::MaskCrc(data::Crc32c(event)));
}

}  // namespace headrace::keras::internal
