#include "jobs/training/rubbish.h"

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

namespace headrace::jobs {
namespace {

constexpr auto kPatience = std::chrono::seconds(2);

}  // namespace

struct Rubbish::State {
  std::string directory;
  std::mutex mutex;
  std::condition_variable wakeup;
  bool there_is_some = true;  // perhaps of an earlier process
  bool stopped = false, ended = false;
  int taken = 0;

  // Everything in the directory, until it is empty.
  void Delete() {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
      {
        const std::lock_guard lock(mutex);
        if (stopped) return;
      }
      if (auto removed = RemoveTree(entry.path()); !removed)
        Log(LogLevel::kWarning, "{}", removed.error().message());  // it is tried again with the next rubbish
    }
  }

  void Work() {
    std::unique_lock lock(mutex);
    while (!stopped) {
      if (!std::exchange(there_is_some, false)) {
        wakeup.wait(lock);
        continue;
      }
      lock.unlock();
      Delete();
      lock.lock();
    }
    ended = true;
    wakeup.notify_all();
  }
};

Rubbish::Rubbish(const std::string& directory) : state_(std::make_shared<State>()) {
  state_->directory = directory;
  if (auto made = MakeDirectories(directory); !made) Log(LogLevel::kError, "{}", made.error().message());
  std::thread([state = state_] { state->Work(); }).detach();
}

Rubbish::~Rubbish() {
  std::unique_lock lock(state_->mutex);
  state_->stopped = true;
  state_->wakeup.notify_all();
  state_->wakeup.wait_for(lock, kPatience, [this] { return state_->ended; });
}

void Rubbish::Take(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const auto to = fmt::format("{}/{}-{}-{}", state_->directory, ::getpid(), BootClock().Now(), ++state_->taken);
  if (std::rename(path.c_str(), to.c_str()) != 0) {
    if (errno != ENOENT) Log(LogLevel::kWarning, "{}: cannot be put away: {}", path, std::strerror(errno));
    return;
  }
  state_->there_is_some = true;
  state_->wakeup.notify_all();
}

}  // namespace headrace::jobs
