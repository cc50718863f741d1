// The samples of a series, packed: about ten bytes each, read at the speed of memory. The bytes are described in
// docs/formats/data-directory.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/meta/metric_sample.h"

namespace headrace::store {

// Takes samples in order of time, none before `start`.
class SampleBlockWriter {
 public:
  explicit SampleBlockWriter(UnixMillis start) : start_(start), time_(start) {}

  void Append(const MetricSample& sample);

  UnixMillis start() const { return start_; }
  UnixMillis last() const { return time_; }  // time of the last sample
  int64_t samples() const { return samples_; }
  const std::string& bytes() const { return bytes_; }

 private:
  friend class SampleBlockReader;
  UnixMillis start_, time_;
  std::string unit_ = "None";
  int64_t samples_ = 0;
  std::string bytes_;
};

class SampleBlockReader {
 public:
  // `bytes` must outlive the reader.
  SampleBlockReader(UnixMillis start, std::string_view bytes) : start_(start), bytes_(bytes), rest_(bytes) {
    sample_.time = start;
  }

  // The next sample, good until the next call; nullptr at the end, and where the bytes are none of a writer's.
  const MetricSample* Next();
  bool broken() const { return broken_; }

  // Once all has been read: a writer that goes on behind it.
  SampleBlockWriter Continued() const;

 private:
  bool Take(double& value);
  bool TakeVarint(uint64_t& value);
  bool TakeStatisticSet();
  const MetricSample* Broken();

  const UnixMillis start_;
  const std::string_view bytes_;
  std::string_view rest_;
  MetricSample sample_;
  int64_t samples_ = 0;
  bool broken_ = false;
};

}  // namespace headrace::store
