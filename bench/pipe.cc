// The two ends of Pipe mode, for bench/pipe.py.
//
//   bench_pipe feed DIRECTORY CHANNELS FILE...   feeds channels c0, c1, … (as many as CHANNELS says, or the one it
//                                                names) until standard input ends
//   bench_pipe drain PATH...                     reads each path to its end and drops the bytes
//   bench_pipe records DIRECTORY CHANNEL         one epoch of TFRecords through PipeModeDataset, checksums verified
//   bench_pipe batches DIRECTORY CHANNEL         the same in batches of 256, each copied into memory of its own
//   bench_pipe epochs DIRECTORY CHANNEL N        N epochs of it, one after the other
//   bench_pipe first-pipe DIRECTORY FILE...      from a channel's start to the first batch, in Pipe mode
//   bench_pipe first-file DIRECTORY FILE...      the same in File mode: the files are copied to DIRECTORY first
//
// Each prints one JSON line at its end: seconds, bytes, processor seconds, bytes that the process wrote to disk.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include "headrace/data.h"

#include "base/file.h"
#include "jobs/pipe/pipe_feeder.h"

namespace {

using namespace headrace;
using Clock = std::chrono::steady_clock;
using Arguments = std::vector<std::string>;

constexpr int64_t kBatch = 256;

double Since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double ProcessorSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

uint64_t BytesToDisk() {
  std::ifstream io("/proc/self/io");
  std::string name;
  uint64_t value = 0;
  while (io >> name >> value)
    if (name == "write_bytes:") return value;
  return 0;
}

void PrintResult(double seconds, uint64_t bytes) {
  std::printf("{\"seconds\": %.6f, \"bytes\": %llu, \"processor_seconds\": %.4f, \"disk_bytes\": %llu}\n", seconds,
              static_cast<unsigned long long>(bytes), ProcessorSeconds(),
              static_cast<unsigned long long>(BytesToDisk()));
}

std::vector<std::unique_ptr<jobs::PipeFeeder>> Feed(const std::string& directory, const Arguments& channels,
                                                    Arguments files) {
  auto content = std::make_shared<jobs::PipeContent>();
  for (auto& file : files) content->parts.push_back({.path = std::move(file), .literal = "", .name = ""});
  std::vector<std::unique_ptr<jobs::PipeFeeder>> feeders;
  for (const auto& channel : channels)
    feeders.push_back(ValueOrThrow(jobs::PipeFeeder::Start(
        {.channel = channel, .directory = directory, .content = content, .order = {}, .on_event = {}})));
  return feeders;
}

Arguments ChannelNames(const std::string& text) {
  if (text.find_first_not_of("0123456789") != std::string::npos) return {text};
  Arguments names;
  for (int i = 0; i < std::stoi(text); ++i) names.push_back("c" + std::to_string(i));
  return names;
}

void RunFeed(const Arguments& arguments) {
  const auto start = Clock::now();
  const auto feeders = Feed(arguments[0], ChannelNames(arguments[1]), {arguments.begin() + 2, arguments.end()});
  std::puts("ready");
  std::fflush(stdout);
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) continue;
  uint64_t bytes = 0;
  for (const auto& feeder : feeders) {
    feeder->Stop();
    bytes += feeder->counts().bytes;
  }
  PrintResult(Since(start), bytes);
}

void RunDrain(const Arguments& paths) {
  std::vector<char> buffer(size_t{1} << 20);
  const auto start = Clock::now();
  uint64_t bytes = 0;
  for (const auto& path : paths) {
    const int fd = ::open(path.c_str(), O_RDONLY);
    for (ssize_t n = 0; (n = ::read(fd, buffer.data(), buffer.size())) > 0;) bytes += static_cast<uint64_t>(n);
    ::close(fd);
  }
  PrintResult(Since(start), bytes);
}

data::Dataset Channel(const std::string& directory, const std::string& channel) {
  data::PipeModeOptions options;
  options.record_format = "TFRecord";
  options.pipe_dir = directory;
  options.config_dir = directory + "/config-" + channel;  // of its own: another process may read another channel
  ValueOrThrow(MakeDirectories(options.config_dir));
  ValueOrThrow(WriteFileAtomically(options.config_dir + "/inputdataconfig.json",
                                   "{\"" + channel + "\": {\"TrainingInputMode\": \"Pipe\"}}"));
  options.state_dir = directory + "/state";
  return data::PipeModeDataset(channel, options);
}

void RunThrough(const data::Dataset& dataset) {
  const auto start = Clock::now();
  uint64_t bytes = 0;
  auto elements = dataset.MakeIterator();
  while (const auto element = elements.Next()) bytes += element->x().bytes();
  PrintResult(Since(start), bytes);
}

void PrintFirstBatch(const data::Dataset& dataset, Clock::time_point start) {
  auto batches = dataset.map(data::cifar10::ParseRecord).batch(kBatch).MakeIterator();
  if (!batches.Next()) throw MakeError(ErrorCode::kInvalidArgument, "there is no record");
  PrintResult(Since(start), 0);
}

void RunFirstInPipeMode(const Arguments& arguments) {
  const auto start = Clock::now();
  const auto feeders = Feed(arguments[0], {"c0"}, {arguments.begin() + 1, arguments.end()});
  PrintFirstBatch(Channel(arguments[0], "c0"), start);
}

// As the supervisor stages a channel: copied inside the kernel.
void Copy(const std::string& from, const std::string& to) {
  const int in = ::open(from.c_str(), O_RDONLY), out = ::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  while (::copy_file_range(in, nullptr, out, nullptr, size_t{64} << 20, 0) > 0) continue;
  ::close(in);
  ::close(out);
}

void RunFirstInFileMode(const Arguments& arguments) {
  const auto start = Clock::now();
  Arguments copies;
  for (size_t i = 1; i < arguments.size(); ++i) {
    copies.push_back(arguments[0] + "/" + std::to_string(i));
    Copy(arguments[i], copies.back());
  }
  PrintFirstBatch(data::Dataset::TFRecord(copies), start);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 2 ? argv[1] : "";
  const Arguments arguments(argv + std::min(argc, 2), argv + argc);
  try {
    if (what == "feed" && arguments.size() > 2)
      RunFeed(arguments);
    else if (what == "drain")
      RunDrain(arguments);
    else if (what == "records" && arguments.size() == 2)
      RunThrough(Channel(arguments[0], arguments[1]));
    else if (what == "batches" && arguments.size() == 2)
      RunThrough(Channel(arguments[0], arguments[1]).batch(kBatch));
    else if (what == "epochs" && arguments.size() == 3)
      RunThrough(Channel(arguments[0], arguments[1]).repeat(std::stoi(arguments[2])));
    else if (what == "first-pipe" && arguments.size() > 1)
      RunFirstInPipeMode(arguments);
    else if (what == "first-file" && arguments.size() > 1)
      RunFirstInFileMode(arguments);
    else
      return std::fputs("usage: see the top of bench/pipe.cc\n", stderr), 2;
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_pipe: %s\n", error.what());
    return 1;
  }
}
