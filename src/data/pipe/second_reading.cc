#include "data/pipe/second_reading.h"

#include <charconv>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/pipe/fifo_source.h"

namespace headrace::data {
namespace {

constexpr std::chrono::milliseconds kLongestWait{2000};
constexpr uint64_t kLargestAnswer = (uint64_t{1} << 20) - 4096;  // what a pipe holds

// A FIFO with a name that goes away with the object.
class RequestFifo {
 public:
  explicit RequestFifo(std::string path) : path_(std::move(path)) {
    const std::string hidden = path_ + ".new";
    if (::mkfifo(hidden.c_str(), 0600) != 0) return;
    fifo_ = Descriptor(::open(hidden.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    // The platform looks when the name appears; the reading end is open by then.
    if (!fifo_ || ::rename(hidden.c_str(), path_.c_str()) != 0) {
      ::unlink(hidden.c_str());
      fifo_.Reset();
    }
  }
  RequestFifo(const RequestFifo&) = delete;
  RequestFifo& operator=(const RequestFifo&) = delete;
  ~RequestFifo() { ::unlink(path_.c_str()); }

  // All that comes before the end of file; empty when nothing does.
  std::string Read() {
    if (!fifo_) return "";
    const auto source = ReadFifo(std::move(fifo_), path_, kLongestWait, nullptr);
    std::string all, chunk(size_t{1} << 16, '\0');
    while (const size_t n = source->Read(chunk.data(), chunk.size()).value_or(0)) all.append(chunk, 0, n);
    return all;
  }

 private:
  std::string path_;
  Descriptor fifo_;
};

}  // namespace

std::optional<SecondReading> RequestSecondReading(const PipeChannel& channel, int64_t epoch, uint64_t offset,
                                                  uint64_t size) {
  if (size > kLargestAnswer) size = 0;  // then only the name
  const std::string answer =
      RequestFifo(fmt::format("{}/.{}-reread-{}-{}-{}", channel.state_dir, channel.name, epoch, offset, size)).Read();
  const size_t tab = answer.find('\t'), line = answer.find('\n');
  SecondReading reading;
  if (tab == std::string::npos || line == std::string::npos || tab > line) return std::nullopt;
  reading.object = answer.substr(0, tab);
  const auto [end, error] = std::from_chars(answer.data() + tab + 1, answer.data() + line, reading.offset);
  if (error != std::errc() || end != answer.data() + line) return std::nullopt;
  reading.bytes = answer.substr(line + 1);
  return reading;
}

}  // namespace headrace::data
