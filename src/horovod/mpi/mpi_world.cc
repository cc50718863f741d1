#include "horovod/mpi/mpi_world.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <mutex>
#include <thread>

#include <mpi.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/log.h"

namespace headrace::hvd {
namespace {

constexpr int kControlTag = 1;
int TagOf(Lane lane) { return kControlTag + 1 + static_cast<int>(lane); }

// MPI counts in int; larger messages travel in parts of so many bytes.
constexpr size_t kLargestPart = size_t{1} << 30;

Status Check(int code, const char* call) {
  if (code == MPI_SUCCESS) return {};
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, text, &length);
  return Fail(ErrorCode::kUnavailable, "{}: {}", call, text);
}

std::string HostName() {
  struct utsname names {};
  return ::uname(&names) == 0 ? names.nodename : "";
}

// MPI_Init waits for the other ranks and cannot be asked to stop: a thread of its own keeps the promise of an end.
class InitWatchdog {
 public:
  explicit InitWatchdog(const Settings& settings) : settings_(settings), thread_([this] { Watch(); }) {}
  ~InitWatchdog() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  void Watch() {
    const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
    const std::string who = fmt::format("rank {} ({})", rank == nullptr ? "?" : rank, HostName());
    std::unique_lock lock(mutex_);
    int64_t waited = 0;
    while (!done_) {
      const int64_t step = settings_.stall_warning_ms == 0 ? 10'000 : settings_.stall_warning_ms;
      if (changed_.wait_for(lock, std::chrono::milliseconds(step), [this] { return done_; })) return;
      waited += step;
      if (settings_.stall_limit_ms != 0 && waited >= settings_.stall_limit_ms) {
        Log(LogLevel::kError, "hvd::init(): {} waited {} s for the other ranks to start MPI; the job ends", who,
            waited / 1000);
        std::_Exit(1);
      }
      Log(LogLevel::kWarning, "hvd::init(): {} has waited {} s for the other ranks to start MPI", who, waited / 1000);
    }
  }

  const Settings& settings_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;
};

class MpiTransport;

// One request, or several for what is longer than MPI counts.
class MpiTransfer : public Transfer {
 public:
  explicit MpiTransfer(std::mutex& mutex) : mutex_(mutex) {}
  MpiTransfer(const MpiTransfer&) = delete;
  MpiTransfer& operator=(const MpiTransfer&) = delete;

  ~MpiTransfer() override {
    Drop(first_);
    for (MPI_Request& request : more_) Drop(request);
  }

  MPI_Request* NewRequest() {
    if (!begun_) {
      begun_ = true;
      return &first_;
    }
    return &more_.emplace_back(MPI_REQUEST_NULL);
  }

  Result<bool> Done() override {
    int done = 0;
    const std::lock_guard lock(mutex_);
    HEADRACE_TRY(Check(MPI_Test(&first_, &done, MPI_STATUS_IGNORE), "MPI_Test"));
    if (done == 0 || more_.empty()) return done != 0;
    HEADRACE_TRY(
        Check(MPI_Testall(static_cast<int>(more_.size()), more_.data(), &done, MPI_STATUSES_IGNORE), "MPI_Testall"));
    return done != 0;
  }

 private:
  // Of a request that is done nothing is left.
  void Drop(MPI_Request& request) const {
    if (request == MPI_REQUEST_NULL) return;
    const std::lock_guard lock(mutex_);
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (finalized != 0) return;
    MPI_Cancel(&request);
    MPI_Request_free(&request);
  }

  std::mutex& mutex_;
  bool begun_ = false;
  MPI_Request first_ = MPI_REQUEST_NULL;
  std::vector<MPI_Request> more_;
};

// All calls are short, and one at a time: any thread level from MPI_THREAD_SERIALIZED on will do.
class MpiTransport : public Transport {
 public:
  explicit MpiTransport(bool owns_mpi) : owns_mpi_(owns_mpi) {}

  Status Init() {
    HEADRACE_TRY(Check(MPI_Comm_dup(MPI_COMM_WORLD, &communicator_), "MPI_Comm_dup"));
    MPI_Comm_set_errhandler(communicator_, MPI_ERRORS_RETURN);
    MPI_Comm_rank(communicator_, &place_.rank);
    MPI_Comm_size(communicator_, &place_.size);
    MPI_Comm local = MPI_COMM_NULL, cross = MPI_COMM_NULL;
    HEADRACE_TRY(Check(MPI_Comm_split_type(communicator_, MPI_COMM_TYPE_SHARED, place_.rank, MPI_INFO_NULL, &local),
                       "MPI_Comm_split"));
    MPI_Comm_rank(local, &place_.local_rank);
    MPI_Comm_size(local, &place_.local_size);
    HEADRACE_TRY(Check(MPI_Comm_split(communicator_, place_.local_rank, place_.rank, &cross), "MPI_Comm_split"));
    MPI_Comm_rank(cross, &place_.cross_rank);
    MPI_Comm_size(cross, &place_.cross_size);
    MPI_Comm_free(&local);
    MPI_Comm_free(&cross);
    place_.host = HostName();
    int sizes[2] = {place_.local_size, -place_.local_size}, largest[2];
    HEADRACE_TRY(Check(MPI_Allreduce(sizes, largest, 2, MPI_INT, MPI_MAX, communicator_), "MPI_Allreduce"));
    place_.homogeneous = largest[0] == -largest[1];
    return {};
  }

  const Place& place() const override { return place_; }

  Result<std::vector<std::string>> Exchange(const std::string& mine) override {
    const int length = static_cast<int>(mine.size());
    std::vector<int> lengths(static_cast<size_t>(place_.size)), starts;
    HEADRACE_TRY(Check(MPI_Allgather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, communicator_), "MPI_Allgather"));
    int total = 0;
    for (const int one : lengths) {
      starts.push_back(total);
      total += one;
    }
    std::string all(static_cast<size_t>(total), '\0');
    HEADRACE_TRY(Check(MPI_Allgatherv(mine.data(), length, MPI_BYTE, all.data(), lengths.data(), starts.data(),
                                      MPI_BYTE, communicator_),
                       "MPI_Allgatherv"));
    std::vector<std::string> texts;
    for (size_t i = 0; i < lengths.size(); ++i)
      texts.push_back(all.substr(static_cast<size_t>(starts[i]), static_cast<size_t>(lengths[i])));
    return texts;
  }

  Status Send(int to, std::string bytes) override {
    const std::lock_guard lock(mutex_);
    HEADRACE_TRY(Reap());
    auto& sent = sending_.emplace_back(Sending{std::move(bytes), MPI_REQUEST_NULL});
    return Check(MPI_Isend(sent.bytes.data(), static_cast<int>(sent.bytes.size()), MPI_BYTE, to, kControlTag,
                           communicator_, &sent.request),
                 "MPI_Isend");
  }

  // Nothing, too, while another thread is in MPI: that of the program, which waits, is there all the time.
  Result<std::optional<Message>> Receive() override {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return std::optional<Message>();
    HEADRACE_TRY(Reap());
    int found = 0, bytes = 0;
    MPI_Message handle;
    MPI_Status status;
    HEADRACE_TRY(
        Check(MPI_Improbe(MPI_ANY_SOURCE, kControlTag, communicator_, &found, &handle, &status), "MPI_Improbe"));
    if (found == 0) return std::optional<Message>();
    MPI_Get_count(&status, MPI_BYTE, &bytes);
    Message message{status.MPI_SOURCE, std::string(static_cast<size_t>(bytes), '\0')};
    HEADRACE_TRY(Check(MPI_Mrecv(message.bytes.data(), bytes, MPI_BYTE, &handle, MPI_STATUS_IGNORE), "MPI_Mrecv"));
    return std::optional<Message>(std::move(message));
  }

  Result<std::unique_ptr<Transfer>> StartSend(Lane lane, int to, const void* data, size_t bytes) override {
    return Start(bytes, [&](size_t begin, int size, MPI_Request* request) {
      return Check(
          MPI_Isend(static_cast<const char*>(data) + begin, size, MPI_BYTE, to, TagOf(lane), communicator_, request),
          "MPI_Isend");
    });
  }

  Result<std::unique_ptr<Transfer>> StartReceive(Lane lane, int from, void* data, size_t bytes) override {
    return Start(bytes, [&](size_t begin, int size, MPI_Request* request) {
      return Check(
          MPI_Irecv(static_cast<char*>(data) + begin, size, MPI_BYTE, from, TagOf(lane), communicator_, request),
          "MPI_Irecv");
    });
  }

  void Finish() override {
    constexpr auto kLimit = std::chrono::seconds(5);
    const auto end = std::chrono::steady_clock::now() + kLimit;
    while (std::chrono::steady_clock::now() < end) {
      {
        const std::lock_guard lock(mutex_);
        if (!Reap()) return;
        if (sending_.empty()) {
          MPI_Comm_free(&communicator_);
          if (owns_mpi_) MPI_Finalize();
          return;
        }
      }
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }

 private:
  struct Sending {
    std::string bytes;
    MPI_Request request;
  };

  Status Reap() {
    for (auto sent = sending_.begin(); sent != sending_.end();) {
      int done = 0;
      HEADRACE_TRY(Check(MPI_Test(&sent->request, &done, MPI_STATUS_IGNORE), "MPI_Test"));
      sent = done != 0 ? sending_.erase(sent) : std::next(sent);
    }
    return {};
  }

  template <typename StartPart>
  Result<std::unique_ptr<Transfer>> Start(size_t bytes, const StartPart& start) {
    auto transfer = std::make_unique<MpiTransfer>(mutex_);
    const std::lock_guard lock(mutex_);
    for (size_t begin = 0; begin < bytes; begin += kLargestPart)
      HEADRACE_TRY(start(begin, static_cast<int>(std::min(kLargestPart, bytes - begin)), transfer->NewRequest()));
    return std::unique_ptr<Transfer>(std::move(transfer));
  }

  const bool owns_mpi_;
  MPI_Comm communicator_ = MPI_COMM_NULL;
  Place place_;
  std::mutex mutex_;
  std::list<Sending> sending_;
};

}  // namespace

bool StartedByLauncher() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"})
    if (std::getenv(name) != nullptr) return true;
  return false;
}

Result<std::unique_ptr<Transport>> StartMpi(const Settings& settings) {
  int initialized = 0, provided = MPI_THREAD_SINGLE;
  MPI_Initialized(&initialized);
  if (initialized != 0) {
    MPI_Query_thread(&provided);
    if (provided < MPI_THREAD_MULTIPLE)
      return Fail(ErrorCode::kFailedPrecondition,
                  "hvd::init(): the program has started MPI with thread level {}, wanted MPI_THREAD_MULTIPLE: call "
                  "hvd::init() before MPI_Init, or MPI_Init_thread with MPI_THREAD_MULTIPLE",
                  provided);
  } else {
    const InitWatchdog watchdog(settings);
    HEADRACE_TRY(Check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided), "MPI_Init_thread"));
    if (provided < MPI_THREAD_SERIALIZED)
      return Fail(ErrorCode::kFailedPrecondition, "hvd::init(): this MPI offers thread level {}, wanted SERIALIZED",
                  provided);
  }
  auto transport = std::make_unique<MpiTransport>(initialized == 0);
  HEADRACE_TRY(transport->Init());
  return std::unique_ptr<Transport>(std::move(transport));
}

}  // namespace headrace::hvd
