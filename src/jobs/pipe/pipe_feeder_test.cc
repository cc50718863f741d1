#include "jobs/pipe/pipe_feeder.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <set>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "base/testing/temporary_directory.h"
#include "jobs/pipe/second_reading.h"

namespace headrace::jobs {
namespace {

using std::chrono::milliseconds;

// Long enough that only a hang reaches it.
constexpr int kHangMilliseconds = 20000;

std::string RandomBytes(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::string Gzipped(const std::string& content) {
  z_stream stream{};
  deflateInit2(&stream, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
  std::string out(compressBound(content.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string AsRecord(const std::string& content) {
  const std::array<uint32_t, 2> header{0xced7230au, static_cast<uint32_t>(content.size())};
  std::string record(reinterpret_cast<const char*>(header.data()), sizeof header);
  return record + content + std::string((4 - content.size() % 4) % 4, '\0');
}

// Equal, without printing megabytes when not.
testing::AssertionResult Same(const std::string& found, const std::string& wanted) {
  if (found == wanted) return testing::AssertionSuccess();
  const auto differs = std::mismatch(found.begin(), found.end(), wanted.begin(), wanted.end()).first - found.begin();
  return testing::AssertionFailure() << "found " << found.size() << " bytes, wanted " << wanted.size()
                                     << "; they differ at byte " << differs;
}

struct Events {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<PipeEvent> all;

  // The first event from `from` on that `wanted` likes, once it has come.
  template <typename Predicate>
  PipeEvent Await(const Predicate& wanted) {
    std::unique_lock lock(mutex);
    auto found = all.end();
    const bool came = changed.wait_for(lock, milliseconds(kHangMilliseconds), [&] {
      found = std::find_if(all.begin(), all.end(), wanted);
      return found != all.end();
    });
    EXPECT_TRUE(came) << "the event never came";
    return came ? *found : PipeEvent{};
  }
  PipeEvent AwaitEnd(int64_t epoch) {
    return Await([&](const PipeEvent& e) { return e.kind == PipeEvent::Kind::kEpochEnded && e.epoch == epoch; });
  }
};

// The parameter: whether readers are found with inotify.
class PipeFeederTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { std::filesystem::create_directory(Data()); }

  std::string Data() const { return directory_ / "data"; }
  std::string Fifo(int64_t epoch) const { return Data() + "/train_" + std::to_string(epoch); }

  void AddObject(const std::string& bytes) {
    const std::string path = directory_ / ("object" + std::to_string(content_.parts.size()));
    std::ofstream(path, std::ios::binary) << bytes;
    content_.parts.push_back({.path = path, .literal = "", .name = "s3://b/" + std::to_string(content_.parts.size())});
  }

  void Start(EpochOrder order = {}) {
    auto started = PipeFeeder::Start({.channel = "train",
                                      .directory = Data(),
                                      .state_directory = directory_ / "state",
                                      .content = std::make_shared<PipeContent>(content_),
                                      .order = order,
                                      .use_inotify = GetParam(),
                                      .on_event = [this](const PipeEvent& event) {
                                        const std::lock_guard lock(events_.mutex);
                                        events_.all.push_back(event);
                                        events_.changed.notify_all();
                                      }});
    ASSERT_TRUE(started) << started.error().message();
    feeder_ = std::move(*started);
  }

  // Opens an epoch's FIFO, waiting for it: readers that close early can be quicker than the feeder.
  Descriptor Open(int64_t epoch) const {
    for (int waited = 0; waited < kHangMilliseconds; ++waited) {
      Descriptor fifo(::open(Fifo(epoch).c_str(), O_RDONLY | O_NONBLOCK));
      if (fifo) return fifo;
      std::this_thread::sleep_for(milliseconds(1));
    }
    ADD_FAILURE() << Fifo(epoch) << " does not exist";
    return {};
  }

  // Up to `size` bytes of it; less at the end.
  static std::string Read(const Descriptor& fifo, size_t size = SIZE_MAX, size_t at_once = 65536) {
    std::string bytes;
    std::vector<char> chunk(at_once);
    while (bytes.size() < size) {
      pollfd waiting{fifo.get(), POLLIN, 0};
      if (::poll(&waiting, 1, kHangMilliseconds) != 1) {
        ADD_FAILURE() << "nothing came for " << kHangMilliseconds << " ms";
        return bytes;
      }
      const ssize_t n = ::read(fifo.get(), chunk.data(), std::min(chunk.size(), size - bytes.size()));
      if (n == 0) break;
      if (n > 0) bytes.append(chunk.data(), static_cast<size_t>(n));
    }
    return bytes;
  }

  TemporaryDirectory directory_;
  PipeContent content_;
  Events events_;
  std::unique_ptr<PipeFeeder> feeder_;
};

TEST_P(PipeFeederTest, StreamsEveryEpochWhole) {
  const std::string a = RandomBytes(3 << 20, 1), b = RandomBytes(100, 2), c = RandomBytes(70001, 3);
  for (const auto& bytes : {a, b, std::string(), c}) AddObject(bytes);
  Start();
  for (int64_t epoch = 0; epoch < 5; ++epoch) {
    EXPECT_TRUE(Same(Read(Open(epoch)), a + b + c)) << "epoch " << epoch;
    const PipeEvent end = events_.AwaitEnd(epoch);
    EXPECT_EQ(end.bytes, a.size() + b.size() + c.size());
    EXPECT_FALSE(end.early_close);
  }
  EXPECT_EQ(feeder_->counts().epochs_ended, 5u);
  EXPECT_EQ(feeder_->counts().early_closes, 0u);
}

TEST_P(PipeFeederTest, TheNextFifoExistsBeforeTheEndOfFile) {
  AddObject("four records");
  Start();
  for (int64_t epoch = 0; epoch < (GetParam() ? 2000 : 200); ++epoch) {
    EXPECT_EQ(Read(Open(epoch)), "four records");
    ASSERT_TRUE(std::filesystem::is_fifo(Fifo(epoch + 1)));
  }
}

TEST_P(PipeFeederTest, EmptyChannelsAndZeroByteObjectsEndAtOnce) {
  Start();
  for (int64_t epoch = 0; epoch < 3; ++epoch) EXPECT_EQ(Read(Open(epoch)), "");
  feeder_.reset();
  for (int i = 0; i < 3; ++i) AddObject("");
  Start();
  for (int64_t epoch = 0; epoch < 3; ++epoch) EXPECT_EQ(Read(Open(epoch)), "");
}

TEST_P(PipeFeederTest, AnEarlyCloseEndsOnlyItsEpoch) {
  const std::string bytes = RandomBytes(4 << 20, 4);
  AddObject(bytes);
  Start();
  for (int64_t epoch = 0; epoch < 6; ++epoch) {
    if (epoch % 2 == 0) {
      EXPECT_TRUE(Same(Read(Open(epoch), 1000, 1000), bytes.substr(0, 1000)));
      EXPECT_TRUE(events_.AwaitEnd(epoch).early_close);
    } else {
      EXPECT_TRUE(Same(Read(Open(epoch)), bytes));
    }
  }
  EXPECT_EQ(feeder_->counts().early_closes, 3u);
}

TEST_P(PipeFeederTest, APausingReaderHoldsUpNoOther) {
  const std::string bytes = RandomBytes(4 << 20, 5);
  AddObject(bytes);
  Start();
  const Descriptor slow = Open(0);
  const std::string first = Read(slow, 5000, 5000);
  for (int64_t epoch = 1; epoch < 4; ++epoch) EXPECT_TRUE(Same(Read(Open(epoch)), bytes));
  EXPECT_TRUE(Same(first + Read(slow), bytes));
}

TEST_P(PipeFeederTest, ABlockingReaderAndATinyBufferGetEverything) {
  const std::string bytes = RandomBytes(300000, 6);
  AddObject(bytes);
  Start();
  std::ifstream file(Fifo(0), std::ios::binary);  // as Python's open() does it
  EXPECT_TRUE(Same(std::string(std::istreambuf_iterator<char>(file), {}), bytes));
  EXPECT_TRUE(Same(Read(Open(1), SIZE_MAX, 7), bytes));
}

TEST_P(PipeFeederTest, ADyingReaderEndsItsEpoch) {
  AddObject(RandomBytes(8 << 20, 7));
  Start();
  const pid_t child = ::fork();
  if (child == 0) {
    const int fifo = ::open(Fifo(0).c_str(), O_RDONLY);
    char byte = 0;
    ::_exit(::read(fifo, &byte, 1) == 1 ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(events_.AwaitEnd(0).early_close);
  EXPECT_EQ(Read(Open(1)).size(), size_t{8} << 20);
}

TEST_P(PipeFeederTest, StopTakesTheFifosAwayAtOnceWhateverTheReaderDoes) {
  AddObject(RandomBytes(8 << 20, 8));
  Start();  // nobody ever reads
  feeder_->Stop();
  EXPECT_TRUE(std::filesystem::is_empty(Data()));

  Start();
  const Descriptor stalled = Open(0);
  Read(stalled, 10, 10);
  feeder_->Stop();
  EXPECT_TRUE(std::filesystem::is_empty(Data()));
  EXPECT_LT(Read(stalled).size(), size_t{8} << 20);  // what was in the pipe, then an end of file
}

TEST_P(PipeFeederTest, GunzipsAndWrapsObjects) {
  const std::string a = RandomBytes(700001, 9), b = "b", large(20 << 20, 'x');
  for (const auto& bytes : {a, b, std::string(), large}) AddObject(Gzipped(bytes));
  AddObject("");  // no bytes at all: taken for no content
  AddObject(Gzipped("one ") + Gzipped("two"));
  content_.gunzip = true;
  Start();
  EXPECT_TRUE(Same(Read(Open(0)), a + b + large + "one two"));
  feeder_.reset();

  content_.record_io = true;
  Start();
  EXPECT_TRUE(Same(Read(Open(0)),
                   AsRecord(a) + AsRecord(b) + AsRecord("") + AsRecord(large) + AsRecord("") + AsRecord("one two")));
}

TEST_P(PipeFeederTest, WrapsPlainObjectsAndLiterals) {
  const std::string small = RandomBytes(13, 10), large = RandomBytes(1000003, 11);
  AddObject(small);
  AddObject(large);
  content_.parts.push_back({.path = "", .literal = "{\"class\": 3}", .name = "manifest line 1"});
  content_.record_io = true;
  Start();
  EXPECT_TRUE(Same(Read(Open(0)), AsRecord(small) + AsRecord(large) + AsRecord("{\"class\": 3}")));
}

TEST_P(PipeFeederTest, ShufflesEntriesAnewEveryEpochAndReproducibly) {
  for (int i = 0; i < 40; ++i) {
    content_.parts.push_back({.path = "", .literal = fmt::format("[{:02}", i), .name = ""});
    content_.parts.push_back({.path = "", .literal = "]", .name = ""});
  }
  content_.parts_per_entry = 2;
  std::vector<std::string> runs;
  for (int run = 0; run < 2; ++run) {
    Start({.shuffle_seed = 7});
    for (int64_t epoch = 0; epoch < 3; ++epoch) {
      runs.push_back(Read(Open(epoch)));
      std::multiset<std::string> entries;
      for (size_t at = 0; at < runs.back().size(); at += 4) entries.insert(runs.back().substr(at, 4));
      EXPECT_EQ(entries.size(), 40u);
      for (int i = 0; i < 40; ++i) EXPECT_EQ(entries.count(fmt::format("[{:02}]", i)), 1u);
    }
    feeder_.reset();
  }
  EXPECT_EQ(runs[0], runs[3]);
  EXPECT_EQ(runs[1], runs[4]);
  EXPECT_NE(runs[0], runs[1]);
  EXPECT_NE(runs[1], runs[2]);
}

TEST_P(PipeFeederTest, AMissingOrDamagedObjectFailsByName) {
  AddObject(std::string(100000, 'x'));
  content_.parts.push_back({.path = directory_ / "gone", .literal = "", .name = "s3://b/gone"});
  Start();
  const Descriptor fifo = Open(0);
  const auto failed = [](const PipeEvent& e) { return e.kind == PipeEvent::Kind::kFailed; };
  EXPECT_TRUE(Same(Read(fifo, 100000), std::string(100000, 'x')));
  EXPECT_THAT(events_.Await(failed).message, testing::HasSubstr("channel train: s3://b/gone: cannot open the object"));
  pollfd waiting{fifo.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&waiting, 1, 10), 0);  // no end of file: it would be taken for the end of the data
  feeder_->Stop();

  events_.all.clear();
  content_.parts.pop_back();
  content_.gunzip = true;
  Start();
  const Descriptor second = Open(0);
  EXPECT_THAT(events_.Await(failed).message, testing::HasSubstr("s3://b/0: found no valid gzip data"));
}

// Any mixture of whole reads, early closes, readers left open and sizes of reads: each epoch's bytes are a prefix of
// the content, and all of it unless the reader closed.
TEST_P(PipeFeederTest, AnyOrderOfReadersGetsTheRightBytes) {
  std::mt19937 random(12);
  for (int round = 0; round < 8; ++round) {
    content_.parts.clear();
    std::string whole;
    for (size_t objects = random() % 6; objects > 0; --objects) {
      const std::string bytes = RandomBytes(random() % 3 == 0 ? random() % (2 << 20) : random() % 5000, random());
      whole += bytes;
      AddObject(bytes);
    }
    Start();
    std::vector<std::pair<Descriptor, std::string>> left_open;
    for (int64_t epoch = 0; epoch < 12; ++epoch) {
      Descriptor fifo = Open(epoch);
      const size_t wanted = random() % 2 == 0 ? SIZE_MAX : random() % (whole.size() + 1);
      std::string got = Read(fifo, wanted, 1 + random() % 100000);
      ASSERT_TRUE(Same(got, whole.substr(0, wanted)));
      if (random() % 3 == 0) left_open.emplace_back(std::move(fifo), std::move(got));
      if (random() % 4 == 0) std::this_thread::sleep_for(milliseconds(1));
    }
    for (auto& [fifo, got] : left_open) EXPECT_TRUE(Same(got + Read(fifo), whole));
    feeder_.reset();
    EXPECT_TRUE(std::filesystem::is_empty(Data()));
  }
}

TEST_P(PipeFeederTest, NeverFollowsALinkThatTheProgramPutInAFifosPlace) {
  AddObject("content");
  Start();
  const std::string victim = directory_ / "victim";
  std::ofstream(victim) << "untouched";
  // The names that come next: the feeder must neither write through them nor be held up for good.
  for (int64_t epoch = 2; epoch < 6; ++epoch)
    ::symlink(victim.c_str(), (Data() + "/.train_" + std::to_string(epoch)).c_str());
  for (int64_t epoch = 0; epoch < 6; ++epoch) EXPECT_EQ(Read(Open(epoch)), "content");
  ::unlink(Fifo(6).c_str());
  ::symlink(victim.c_str(), Fifo(6).c_str());
  ::symlink(victim.c_str(), (directory_ / "state/tmp").c_str());
  ::rename((directory_ / "state/tmp").c_str(), (directory_ / "state/.train-reread-0-0-7").c_str());
  EXPECT_EQ(Read(Open(7)), "content");
  feeder_->Stop();
  std::ifstream file(victim);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "untouched");
}

INSTANTIATE_TEST_SUITE_P(, PipeFeederTest, testing::Bool(),
                         [](const auto& found) { return found.param ? "inotify" : "looking"; });

TEST(PipeFeeder, RefusesWhatItCannotFeed) {
  const TemporaryDirectory directory;
  auto content = std::make_shared<PipeContent>();
  auto started =
      PipeFeeder::Start({.channel = "a/b", .directory = directory.path(), .content = content, .on_event = {}});
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message(), testing::HasSubstr("\"a/b\""));
  started = PipeFeeder::Start({.channel = "a", .directory = directory / "none", .content = content, .on_event = {}});
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message(), testing::HasSubstr("cannot open the directory"));
  content->parts.resize(3);
  content->parts_per_entry = 2;
  started = PipeFeeder::Start({.channel = "a", .directory = directory.path(), .content = content, .on_event = {}});
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message(), testing::HasSubstr("a multiple of 2"));
}

TEST(SecondReading, NamesTheObjectAndReadsItAgain) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "a") << "aaaa";
  std::ofstream(directory / "b") << "0123456789";
  PipeContent content;
  content.parts = {{.path = directory / "a", .literal = "", .name = "s3://x/a"},
                   {.path = "", .literal = "lit", .name = "line 1"},
                   {.path = directory / "b", .literal = "", .name = ""}};
  EXPECT_EQ(AnswerReading(content, {0, 1, 2}, {.epoch = 0, .offset = 0, .size = 2}), "s3://x/a\t0\naa");
  EXPECT_EQ(AnswerReading(content, {0, 1, 2}, {.epoch = 0, .offset = 5, .size = 99}), "line 1\t1\nit");
  EXPECT_EQ(AnswerReading(content, {2, 0, 1}, {.epoch = 0, .offset = 3, .size = 4}), directory / "b" + "\t3\n3456");
  EXPECT_EQ(AnswerReading(content, {0, 1, 2}, {.epoch = 0, .offset = 17, .size = 1}), "");
  content.gunzip = true;
  EXPECT_EQ(AnswerReading(content, {0, 1, 2}, {.epoch = 0, .offset = 0, .size = 2}), "");

  const auto request = ParseReadingRequest("a-b", ".a-b-reread-3-14-15");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->epoch, 3);
  EXPECT_EQ(request->offset, 14u);
  EXPECT_EQ(request->size, 15u);
  for (const char* wrong : {".a-reread-3-14-15", ".a-b-reread-3-14", ".a-b-reread-3-14-15-", ".a-b-reread--3-14-15",
                            ".a-b-reread-3-14-x", ".a-b-pipe_mode-state", ".a-b-reread-3-14-99999999999999999999", ""})
    EXPECT_FALSE(ParseReadingRequest("a-b", wrong)) << wrong;
}

TEST(EpochOrder, ShardsAreDisjointCoverEverythingAndAreDealtAnew) {
  for (const bool shuffled : {false, true}) {
    for (uint64_t epoch = 0; epoch < 3; ++epoch) {
      std::multiset<uint32_t> all;
      for (uint32_t shard = 0; shard < 3; ++shard) {
        EpochOrder order{.shuffle_seed = std::nullopt, .shard_index = shard, .shard_count = 3};
        if (shuffled) order.shuffle_seed = 5;
        for (const uint32_t entry : order.Of(epoch, 20)) all.insert(entry);
      }
      EXPECT_EQ(all.size(), 20u);
      EXPECT_EQ(std::set<uint32_t>(all.begin(), all.end()).size(), 20u);
    }
  }
  const EpochOrder first{.shuffle_seed = 5, .shard_index = 0, .shard_count = 3};
  EXPECT_NE(first.Of(0, 20), first.Of(1, 20));
  EXPECT_THAT((EpochOrder{.shuffle_seed = std::nullopt, .shard_index = 1, .shard_count = 2}.Of(9, 5)),
              testing::ElementsAre(1, 3));
}

}  // namespace
}  // namespace headrace::jobs
