// PipeFeeder: feeds one channel of a job in Pipe mode. For every epoch N the FIFO DIRECTORY/CHANNEL_N streams the
// channel's content once; a reader that reads to the end or closes early has had its epoch and opens N+1.
//
// FIFOs stand ready before they are needed, their first bytes in the pipe already: N+1 and N+2 exist when N is opened.
// Epochs that are open at the same time (several data sets or processes) are served side by side, so a reader that
// pauses never holds up another. Nothing waits for a reader: those that never come, stall or die cost nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/beneath.h"
#include "base/result.h"
#include "jobs/pipe/epoch_order.h"
#include "jobs/pipe/object_stream.h"

namespace headrace::jobs {

struct PipeEvent {
  enum class Kind {
    kEpochStarted,  // a reader has opened the FIFO
    kEpochEnded,    // everything is in the pipe, or the reader closed
    kFailed,        // the channel cannot go on; the reader gets no end of file, so the job must be ended
  };
  Kind kind = Kind::kEpochStarted;
  std::string channel;
  int64_t epoch = 0;
  uint64_t bytes = 0;        // that the epoch put into the pipe
  double seconds = 0;        // from the reader's opening on
  bool early_close = false;  // the reader closed before the end
  std::string message;       // of kFailed
};

// What a feeder has done so far; may be read at any time.
struct PipeCounts {
  uint64_t epochs_started = 0, epochs_ended = 0, early_closes = 0;
  uint64_t bytes = 0;
  double open_seconds = 0;  // sum of the ended epochs' seconds
};

struct PipeFeederOptions {
  std::string channel;
  // What the two directories are relative to, when the job's processes may write there: no link is followed. None: they
  // are paths of the platform's own.
  std::shared_ptr<const HeldDirectory> below;
  std::string directory;  // gets the FIFOs; must exist
  // Where readers keep their epoch counter and ask for second readings (second_reading.h); made when it is not there.
  // Empty: they cannot ask.
  std::string state_directory;
  std::shared_ptr<const PipeContent> content;
  EpochOrder order;
  int64_t first_epoch = 0;
  uint32_t mode = 0644;     // of the FIFOs
  bool use_inotify = true;  // false, or none left: looks for readers every millisecond, and fills nothing in advance
  // Called on the feeder's thread, and should be quick: an epoch may last 100 microseconds. May be empty.
  std::function<void(const PipeEvent&)> on_event;
};

class PipeFeeder {
 public:
  // Makes the first FIFOs before it returns: the job's program may start.
  static Result<std::unique_ptr<PipeFeeder>> Start(PipeFeederOptions options);
  PipeFeeder(const PipeFeeder&) = delete;
  PipeFeeder& operator=(const PipeFeeder&) = delete;
  ~PipeFeeder();  // Stop()

  // Ends every open epoch where it is, takes the FIFOs away and joins the thread, at once. For when the program has
  // ended: a reader still there sees an end of file that is none.
  void Stop();
  PipeCounts counts() const;

 private:
  class Loop;
  explicit PipeFeeder(std::unique_ptr<Loop> loop);

  std::unique_ptr<Loop> loop_;
  std::thread thread_;
};

}  // namespace headrace::jobs
