#include "jobs/pipe/pipe_feeder.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jobs/pipe/second_reading.h"

namespace headrace::jobs {
namespace {

using SteadyClock = std::chrono::steady_clock;

// FIFOs that exist and wait for a reader.
constexpr size_t kAhead = 2;
// What one epoch may write before the others, and a stop, get their turn.
constexpr size_t kTurnBytes = size_t{8} << 20;
// Where inotify is not to be had: how often is looked for readers.
constexpr int kLookMilliseconds = 1;

tl::unexpected<Error> FailErrno(const std::string& path, const char* what) {
  const int error = errno;
  return Fail(error == ENOSPC || error == EMFILE ? ErrorCode::kResourceExhausted : ErrorCode::kFailedPrecondition,
              "{}: cannot {}: {}", path, what, std::strerror(error));
}

// As large as the system allows: fewer, longer turns of the two sides.
void Enlarge(int pipe) {
  for (int bytes = 1 << 20; bytes > 1 << 16; bytes /= 2)
    if (::fcntl(pipe, F_SETPIPE_SZ, bytes) >= 0) return;
}

// The program may put anything in the place of a FIFO: a link to a file outside its sandbox too.
Descriptor OpenFifo(int directory, const std::string& name, int flags) {
  Descriptor fifo(::openat(directory, name.c_str(), flags | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (fifo && (::fstat(fifo.get(), &status) != 0 || !S_ISFIFO(status.st_mode))) fifo.Reset();
  return fifo;
}

std::string PathOf(int descriptor) { return "/proc/self/fd/" + std::to_string(descriptor); }

struct Epoch {
  Epoch(int64_t index, std::string fifo, ObjectStream content)
      : number(index), name(std::move(fifo)), stream(std::move(content)) {}

  int64_t number;
  std::string name;  // of the FIFO in its directory
  ObjectStream stream;
  // Until a reader has come `both` keeps alive what is in the pipe; afterwards it is closed, so that the writer learns
  // when the reader goes.
  Descriptor both, writer;
  int watch = -1;
  bool opened = false, whole = false;  // whole: everything is in the pipe
  SteadyClock::time_point start;
};

enum class Turn { kWait, kAgain, kEnded };

}  // namespace

class PipeFeeder::Loop {
 public:
  explicit Loop(PipeFeederOptions options) : options_(std::move(options)), next_(options_.first_epoch) {}
  ~Loop() { Clear(); }

  // Only without a running thread.
  void Clear() {
    for (const Epoch& epoch : epochs_) Remove(epoch);
    epochs_.clear();
  }

  Status Prepare() {
    wakeup_ = Descriptor(::eventfd(0, EFD_CLOEXEC));
    if (!wakeup_) return FailErrno(options_.channel, "make an eventfd");
    // Held open: the program cannot put another one in its place.
    auto directory =
        options_.below ? options_.below->OpenDirectory(options_.directory) : HeldDirectory::Open(options_.directory);
    if (!directory) return tl::unexpected<Error>(std::move(directory.error()));
    directory_ = std::move(*directory);
    if (options_.use_inotify) notify_ = Descriptor(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (notify_ && !options_.state_directory.empty()) HEADRACE_TRY(WatchRequests());
    return KeepAhead();
  }

  void Run();
  void Stop() {
    stopping_ = true;
    const uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wakeup_.get(), &one, sizeof one);
  }
  PipeCounts counts() const {
    return {started_.load(), ended_.load(), early_.load(), bytes_.load(), static_cast<double>(open_ns_.load()) * 1e-9};
  }

 private:
  Status WatchRequests();
  void Answer(const char* file_name) const;
  Status KeepAhead();
  Status Make(int64_t number);
  void Remove(const Epoch& epoch) const { ::unlinkat(directory_->descriptor(), epoch.name.c_str(), 0); }
  std::vector<uint32_t> OrderOf(int64_t epoch) const {
    return options_.order.Of(static_cast<uint64_t>(epoch), options_.content->entries());
  }
  void Wait(bool again);
  void TakeOpenings();
  void LookForReaders();
  void Opened(Epoch& epoch);
  Result<Turn> Advance(Epoch& epoch);
  void End(const Epoch& epoch, bool early);
  Status Step(bool& again);
  void Failed(const Error& error);
  void Tell(PipeEvent event) const {
    if (options_.on_event) options_.on_event(event);
  }

  PipeFeederOptions options_;
  Descriptor wakeup_, notify_;
  std::optional<HeldDirectory> directory_, state_;
  int requests_ = -1;         // the watch of the state directory
  std::deque<Epoch> epochs_;  // in order of their numbers; the last kAhead of them are not opened
  int64_t next_;              // number of the next FIFO to make
  std::vector<pollfd> polled_;
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> started_{0}, ended_{0}, early_{0}, bytes_{0}, open_ns_{0};
};

void PipeFeeder::Loop::Run() {
  bool again = true;
  while (!stopping_) {
    if (const auto status = Step(again); !status) return Failed(status.error());
    Wait(again);
  }
}

Status PipeFeeder::Loop::Step(bool& again) {
  if (notify_) TakeOpenings();
  LookForReaders();
  // Before anything can end: a reader that meets the end of file of N finds N+1.
  HEADRACE_TRY(KeepAhead());
  again = false;
  for (size_t i = 0; i < epochs_.size();) {
    HEADRACE_ASSIGN(const Turn turn, Advance(epochs_[i]));
    again |= turn == Turn::kAgain;
    if (turn == Turn::kEnded)
      epochs_.erase(epochs_.begin() + static_cast<std::ptrdiff_t>(i));
    else
      ++i;
  }
  return {};
}

Status PipeFeeder::Loop::KeepAhead() {
  size_t waiting = 0;
  for (auto epoch = epochs_.rbegin(); epoch != epochs_.rend() && !epoch->opened; ++epoch) ++waiting;
  for (; waiting < kAhead; ++waiting) HEADRACE_TRY(Make(next_++));
  return {};
}

// The FIFO gets its name when it is watched and has a writer: no reader can come unseen, and none waits in open().
Status PipeFeeder::Loop::Make(int64_t number) {
  const std::string name = options_.channel + "_" + std::to_string(number), hidden = "." + name;
  const int directory = directory_->descriptor();
  ::unlinkat(directory, hidden.c_str(), 0);
  if (::mkfifoat(directory, hidden.c_str(), 0600) != 0)
    return FailErrno(options_.directory + "/" + name, "make a FIFO");
  Epoch epoch(number, name, ObjectStream(options_.content, OrderOf(number)));
  epoch.both = OpenFifo(directory, hidden, O_RDWR);
  if (!epoch.both || ::fchmod(epoch.both.get(), options_.mode) != 0)
    return FailErrno(options_.directory + "/" + name, "open the FIFO");
  if (notify_) {
    epoch.writer = OpenFifo(directory, hidden, O_WRONLY);
    if (!epoch.writer) return FailErrno(options_.directory + "/" + name, "open the FIFO");
    epoch.watch = ::inotify_add_watch(notify_.get(), PathOf(epoch.both.get()).c_str(), IN_OPEN | IN_ONESHOT);
  }
  if (epoch.watch < 0) {  // no inotify, or the user's limit of watches
    epoch.both.Reset();
    epoch.writer.Reset();
  }
  if (::renameat(directory, hidden.c_str(), directory, name.c_str()) != 0)
    return FailErrno(options_.directory + "/" + name, "name the FIFO");
  epochs_.push_back(std::move(epoch));
  return {};
}

Status PipeFeeder::Loop::WatchRequests() {
  auto state = options_.below ? options_.below->MakeDirectories(options_.state_directory)
                              : HeldDirectory::Make(options_.state_directory);
  if (!state) return tl::unexpected<Error>(std::move(state.error()));
  state_ = std::move(*state);
  requests_ = ::inotify_add_watch(notify_.get(), PathOf(state_->descriptor()).c_str(), IN_MOVED_TO);
  return {};
}

// The reader has the FIFO open and waits, but not for long: it gets what the pipe takes, or nothing.
void PipeFeeder::Loop::Answer(const char* file_name) const {
  const auto request = ParseReadingRequest(options_.channel, file_name);
  if (!request) return;
  const Descriptor fifo = OpenFifo(state_->descriptor(), file_name, O_WRONLY);
  if (!fifo) return;
  Enlarge(fifo.get());
  const std::string answer = AnswerReading(*options_.content, OrderOf(request->epoch), *request);
  [[maybe_unused]] const auto written = ::write(fifo.get(), answer.data(), answer.size());
}

void PipeFeeder::Loop::Wait(bool again) {
  polled_.assign({{wakeup_.get(), POLLIN, 0}});
  if (notify_) polled_.push_back({notify_.get(), POLLIN, 0});
  int milliseconds = again ? 0 : -1;
  for (const Epoch& epoch : epochs_) {
    if (epoch.opened) polled_.push_back({epoch.writer.get(), POLLOUT, 0});
    if (!epoch.opened && epoch.watch < 0 && !again) milliseconds = kLookMilliseconds;
  }
  ::poll(polled_.data(), polled_.size(), milliseconds);
}

void PipeFeeder::Loop::TakeOpenings() {
  alignas(inotify_event) std::array<char, 4096> buffer;
  while (true) {
    const ssize_t n = ::read(notify_.get(), buffer.data(), buffer.size());
    if (n <= 0) return;
    for (ssize_t at = 0; at < n;) {
      const auto* event = reinterpret_cast<const inotify_event*>(&buffer[static_cast<size_t>(at)]);
      at += static_cast<ssize_t>(sizeof *event + event->len);
      if (event->wd == requests_ && event->len > 0) Answer(event->name);
      if ((event->mask & IN_OPEN) == 0) continue;
      for (Epoch& epoch : epochs_)
        if (epoch.watch == event->wd && !epoch.opened) Opened(epoch);
    }
  }
}

// Of the FIFOs that are not watched: one opens for writing once it has a reader.
void PipeFeeder::Loop::LookForReaders() {
  for (Epoch& epoch : epochs_) {
    if (epoch.opened || epoch.watch >= 0) continue;
    epoch.writer = OpenFifo(directory_->descriptor(), epoch.name, O_WRONLY);
    if (epoch.writer) Opened(epoch);
  }
}

void PipeFeeder::Loop::Opened(Epoch& epoch) {
  epoch.opened = true;
  epoch.both.Reset();
  epoch.start = SteadyClock::now();
  started_.fetch_add(1, std::memory_order_relaxed);
  Tell({.kind = PipeEvent::Kind::kEpochStarted, .channel = options_.channel, .epoch = epoch.number});
  if (!epoch.whole) Enlarge(epoch.writer.get());
}

// Writes what the pipe takes, and ends the epoch when all is in it and its reader has come.
Result<Turn> PipeFeeder::Loop::Advance(Epoch& epoch) {
  if (!epoch.writer) return Turn::kWait;
  if (!epoch.whole) {
    const uint64_t before = epoch.stream.bytes();
    auto progress = epoch.stream.WriteTo(epoch.writer.get(), kTurnBytes);
    bytes_.fetch_add(epoch.stream.bytes() - before, std::memory_order_relaxed);
    if (!progress) return tl::unexpected<Error>(std::move(progress.error()));
    if (*progress == ObjectStream::Progress::kClosed) {
      End(epoch, true);
      return Turn::kEnded;
    }
    if (*progress == ObjectStream::Progress::kFull) return Turn::kWait;
    if (*progress == ObjectStream::Progress::kMore) return Turn::kAgain;
    epoch.whole = true;
  }
  if (!epoch.opened) return Turn::kWait;
  End(epoch, false);
  return Turn::kEnded;
}

void PipeFeeder::Loop::End(const Epoch& epoch, bool early) {
  // Its name goes before its end of file comes: no second reader can take it for a fresh one.
  Remove(epoch);
  const auto took = SteadyClock::now() - epoch.start;
  ended_.fetch_add(1, std::memory_order_relaxed);
  if (early) early_.fetch_add(1, std::memory_order_relaxed);
  open_ns_.fetch_add(static_cast<uint64_t>(std::chrono::nanoseconds(took).count()), std::memory_order_relaxed);
  Tell({.kind = PipeEvent::Kind::kEpochEnded,
        .channel = options_.channel,
        .epoch = epoch.number,
        .bytes = epoch.stream.bytes(),
        .seconds = std::chrono::duration<double>(took).count(),
        .early_close = early});
}

// The open epochs stay open: what would look like their end is none.
void PipeFeeder::Loop::Failed(const Error& error) {
  Tell({.kind = PipeEvent::Kind::kFailed,
        .channel = options_.channel,
        .message = fmt::format("channel {}: {}", options_.channel, error.message())});
}

Result<std::unique_ptr<PipeFeeder>> PipeFeeder::Start(PipeFeederOptions options) {
  if (options.channel.empty() || options.channel.find('/') != std::string::npos)
    return Fail(ErrorCode::kInvalidArgument, "channel: found \"{}\", wanted a name without a slash", options.channel);
  const uint32_t per_entry = options.content->parts_per_entry;
  if (per_entry == 0 || options.content->parts.size() % per_entry != 0)
    return Fail(ErrorCode::kInvalidArgument, "channel {}: found {} parts, wanted a multiple of {}", options.channel,
                options.content->parts.size(), per_entry);
  auto loop = std::make_unique<Loop>(std::move(options));
  HEADRACE_TRY(loop->Prepare());
  return std::unique_ptr<PipeFeeder>(new PipeFeeder(std::move(loop)));
}

PipeFeeder::PipeFeeder(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {
  // The thread takes no signals: SIGPIPE would end the process, and the others belong to whoever runs the feeder.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { loop_->Run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

PipeFeeder::~PipeFeeder() { Stop(); }

void PipeFeeder::Stop() {
  if (!thread_.joinable()) return;
  loop_->Stop();
  thread_.join();
  loop_->Clear();
}

PipeCounts PipeFeeder::counts() const { return loop_->counts(); }

}  // namespace headrace::jobs
