// kill -9 while objects are written: what was acknowledged is whole afterwards, and nothing half is to be seen.
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "store/objects/object_store.h"

namespace headrace::store {
namespace {

constexpr int kRounds = 12;
constexpr int kKeys = 5;

// Bytes that tell where they belong: a mixture of two objects would show.
std::string BytesOf(int serial) {
  return std::string(static_cast<size_t>(serial * 7919 % 200'000), static_cast<char>('a' + serial % 26));
}

Status PutOne(ObjectStore& store, int serial) {
  const std::string key = fmt::format("k{}", serial % kKeys);
  HEADRACE_ASSIGN(BlobWriter writer, store.NewBlob());
  HEADRACE_TRY(writer.Write(BytesOf(serial)));
  ObjectInfo info;
  info.metadata = {{"serial", std::to_string(serial)}};
  return store.Commit(std::move(writer), "b", key, info).map([](const Object&) {});
}

// Writes objects until it is killed, and tells the serial of each one that was acknowledged.
[[noreturn]] void WriteForever(const std::string& directory, int first, int pipe) {
  SystemClock clock;
  auto database = Database::Open(directory + "/meta.db");
  if (!database) ::_exit(1);
  auto store = ObjectStore::Open(**database, clock, directory + "/objects");
  if (!store) ::_exit(2);
  for (int serial = first;; ++serial) {
    if (!PutOne(**store, serial)) ::_exit(3);
    if (::write(pipe, &serial, sizeof serial) != sizeof serial) ::_exit(4);
  }
}

// The last acknowledged serial of each key, and the last of all.
struct Acknowledged {
  std::map<std::string, int> by_key;
  int last = 0;
};

// `from_first`: the writer's life counts from its first acknowledged object on, however long it took to start; else it
// may be killed while it opens the store.
void WriteUntilKilled(const std::string& directory, std::chrono::milliseconds life, bool from_first,
                      Acknowledged& known) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) WriteForever(directory, known.last + 1, pipe[1]);
  ::close(pipe[1]);
  pollfd acknowledged{pipe[0], POLLIN, 0};
  if (from_first) {
    ASSERT_EQ(::poll(&acknowledged, 1, 60'000), 1);
  }
  std::this_thread::sleep_for(life);
  ::kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself: " << WEXITSTATUS(status);
  for (int serial = 0; ::read(pipe[0], &serial, sizeof serial) == sizeof serial;) {
    known.by_key[fmt::format("k{}", serial % kKeys)] = serial;
    known.last = serial;
  }
  ::close(pipe[0]);
}

// Every key holds the last acknowledged object, or the next one, whose acknowledgement the kill cut off.
void CheckEverything(const std::string& directory, Acknowledged& known) {
  SystemClock clock;
  const auto database = Database::Open(directory + "/meta.db").value();
  const auto store = ObjectStore::Open(*database, clock, directory + "/objects").value();
  store->RemoveOrphans([] { return false; });
  const Listing listing = store->List({.bucket = "b"}).value();
  for (const auto& [key, serial] : known.by_key) ASSERT_TRUE(store->Find("b", key)) << key << " " << serial;
  for (const Object& object : listing.objects) {
    const int serial = std::stoi(object.info.metadata.at(0).second);
    const auto acknowledged = known.by_key.find(object.key);
    if (serial != known.last + 1) {
      ASSERT_NE(acknowledged, known.by_key.end()) << object.key;
      EXPECT_EQ(serial, acknowledged->second) << object.key;
    }
    EXPECT_EQ(ReadFile(store->BlobPath(object)).value(), BytesOf(serial)) << object.key;
    known.by_key[object.key] = serial;
  }
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory + "/objects/blobs"))
    files += entry.is_regular_file() ? 1 : 0;
  EXPECT_EQ(files, listing.objects.size());
  EXPECT_TRUE(std::filesystem::is_empty(directory + "/objects/incoming"));
  ++known.last;  // may be taken
}

TEST(CrashTest, AcknowledgedObjectsSurviveKill9) {
  const TemporaryDirectory directory;
  {
    SystemClock clock;
    const auto database = Database::Open(directory / "meta.db").value();
    const auto store = ObjectStore::Open(*database, clock, directory / "objects").value();
    ASSERT_TRUE(store->CreateBucket({.name = "b", .owner = "1"}));
  }
  Acknowledged known;
  std::mt19937 random(3);
  for (int round = 0; round < kRounds; ++round) {
    WriteUntilKilled(directory.path(), std::chrono::milliseconds(20 + random() % 150), round % 2 == 1, known);
    if (HasFatalFailure()) return;
    CheckEverything(directory.path(), known);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(known.by_key.size(), 0U);
}

}  // namespace
}  // namespace headrace::store
