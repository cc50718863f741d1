#include "apps/platform/disk_watch.h"

#include <chrono>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/log.h"

namespace headrace::apps {
namespace {

constexpr off_t kReserveBytes = off_t{1} << 20;
constexpr std::chrono::seconds kBetweenLooks{1};

}  // namespace

DiskWatch::DiskWatch(const std::string& directory, std::function<Status()> hold)
    : reserve_(directory + "/reserve"), room_(directory), hold_(std::move(hold)) {}

void DiskWatch::MakeRoomToStart() {
  const Status room = room_.Check();
  if (room) return;
  full_ = true;
  Log(LogLevel::kWarning, "{}; until then nothing can be uploaded or begun", room.error().message());
  ::unlink(reserve_.c_str());
}

void DiskWatch::Start() {
  Look();
  if (!full_ && hold_) (void)hold_();
  ticker_.Start(kBetweenLooks, [this] { Look(); });
}

void DiskWatch::Look() {
  const Status room = room_.Check();
  if (!room && !full_)
    Log(LogLevel::kWarning, "{}; until then nothing can be uploaded or begun", room.error().message());
  if (room && full_) {
    Log(LogLevel::kInfo, "the disk has room again");
    if (const Status held = hold_ ? hold_() : Status(); !held) Log(LogLevel::kWarning, "{}", held.error().message());
  }
  full_ = !room;
  if (!full_) MakeReserve();
}

void DiskWatch::MakeReserve() const {
  std::error_code absent;
  if (std::filesystem::exists(reserve_, absent)) return;
  const Descriptor file(::open(reserve_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (file && ::posix_fallocate(file.get(), 0, kReserveBytes) == ENOSPC) ::unlink(reserve_.c_str());
}

}  // namespace headrace::apps
