// Records of ranks, mpirun's command line, requests at the door, and the door's two ends. The door itself, agent and
// guard: tests/cluster.
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "base/testing/temporary_directory.h"
#include "jobs/launch/launch_door.h"
#include "jobs/launch/launch_request.h"
#include "jobs/launch/mpi_command.h"
#include "jobs/launch/rank_records.h"

namespace headrace::jobs {
namespace {

std::string Request(LaunchKind kind, const std::string& command) {
  const auto header = MakeLaunchHeader(kind, static_cast<uint32_t>(command.size()));
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + command;
}

LaunchParse Parse(const std::string& bytes, LaunchRequest* into = nullptr) {
  LaunchRequest request{};
  const auto parsed = ParseLaunchRequest(bytes.data(), static_cast<uint32_t>(bytes.size()), request);
  if (into != nullptr) *into = request;
  return parsed;
}

TEST(LaunchRequest, IsTakenPieceByPiece) {
  const auto bytes = Request(LaunchKind::kLaunch, "orted -x");
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(Parse(bytes.substr(0, size)), LaunchParse::kNeedsMore) << size;
  LaunchRequest request{};
  ASSERT_EQ(Parse(bytes, &request), LaunchParse::kComplete);
  EXPECT_EQ(request.kind, LaunchKind::kLaunch);
  EXPECT_EQ(request.size, 8u);
  EXPECT_EQ(Parse(Request(LaunchKind::kWatch, "")), LaunchParse::kComplete);
}

TEST(LaunchRequest, AnythingElseIsNone) {
  EXPECT_EQ(Parse("GET / HTTP/1.1\r\n"), LaunchParse::kWrong);
  EXPECT_EQ(Parse("HRDOOR2\n"), LaunchParse::kWrong);
  EXPECT_EQ(Parse(Request(LaunchKind::kLaunch, "")), LaunchParse::kWrong);
  EXPECT_EQ(Parse(Request(LaunchKind::kWatch, "x")), LaunchParse::kWrong);
  EXPECT_EQ(Parse(Request(static_cast<LaunchKind>(3), "x")), LaunchParse::kWrong);
  EXPECT_EQ(Parse(Request(LaunchKind::kLaunch, "a") + "b"), LaunchParse::kWrong);
  EXPECT_EQ(Parse(Request(LaunchKind::kLaunch, std::string("a\0b", 3))), LaunchParse::kWrong);
  auto header = MakeLaunchHeader(LaunchKind::kLaunch, kLongestCommand + 1);
  EXPECT_EQ(Parse({reinterpret_cast<const char*>(&header), sizeof header}), LaunchParse::kWrong);
}

TEST(RankRecords, TellHowARankEnded) {
  const auto failed = ParseRankRecord(1, "algo-2 768 1796051502693\n");
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->host, "algo-2");
  EXPECT_EQ(failed->exit_code, 3);
  EXPECT_EQ(failed->signal, 0);
  EXPECT_EQ(failed->time, 1796051502693);
  const auto killed = ParseRankRecord(0, "algo-1 9 5\n");
  ASSERT_TRUE(killed);
  EXPECT_EQ(killed->signal, SIGKILL);
  EXPECT_EQ(killed->exit_code, 137);
  EXPECT_TRUE(ParseRankRecord(0, "algo-1 0 5\n")->succeeded());
  const auto held = ParseRankRecord(1, "algo-2 4991 5\n");
  ASSERT_TRUE(held);
  EXPECT_EQ(held->held_by, SIGSTOP);
  EXPECT_FALSE(held->succeeded());
}

TEST(RankRecords, WhatIsNoneIsNotBelieved) {
  for (const char* text : {"", "algo-1", "algo-1 0", "algo-1 0 5", " 0 5\n", "algo-1 x 5\n", "algo-1 0 x\n",
                           "algo-1 0 5\nmore", "al/go 0 5\n", "algo-1 65535 5\n", "algo-1 99999999999 5\n"})
    EXPECT_FALSE(ParseRankRecord(0, text)) << text;
  EXPECT_FALSE(ParseRankRecord(0, std::string(64, 'a') + " 0 5\n"));
}

TEST(RankRecords, TheFirstFailureIsTheCauseOfTheOthers) {
  TemporaryDirectory dir;
  EXPECT_FALSE(FirstFailure(ReadRankRecords(dir / "absent", 4)));
  std::ofstream(dir / "0") << "algo-1 15 10\n";  // ended because of the other
  std::ofstream(dir / "1") << "algo-2 256 20\n";
  std::ofstream(dir / "2") << "algo-2 9 5030\n";  // killed in the end, because it did not listen
  std::ofstream(dir / "3") << "no record\n";
  std::ofstream(dir / "9") << "algo-1 9 1\n";  // no such rank
  const auto ends = ReadRankRecords(dir.path(), 4);
  EXPECT_EQ(ends.size(), 3u);
  EXPECT_EQ(FirstFailure(ends)->rank, 1);
  EXPECT_FALSE(FirstFailure({RankEnd{}}));
  const RankEnd consequence{.rank = 0, .exit_code = 1, .time = 100};
  EXPECT_EQ(FirstFailure({consequence, {.rank = 1, .exit_code = 137, .signal = SIGKILL, .time = 400}})->rank, 1);
  EXPECT_EQ(FirstFailure({consequence, {.rank = 1, .exit_code = 137, .signal = SIGKILL, .time = 700}})->rank, 0);
  EXPECT_EQ(FirstFailure({RankEnd{.rank = 7, .exit_code = 143, .signal = SIGTERM}})->rank, 7);
}

TEST(RankRecords, ARankThatIsHeldIsTheCauseUnlessItEndedByItself) {
  TemporaryDirectory dir;
  const auto cause = [&dir](const std::string& of_the_other, const std::string& own) {
    std::ofstream(dir / "0") << "algo-1 " << of_the_other << '\n';
    std::filesystem::remove(dir / "1");
    if (!own.empty()) std::ofstream(dir / "1") << "algo-2 " << own << '\n';
    const auto end = CauseOfFailure(dir.path(), 2);
    return !end ? -1 : end->held_by != 0 ? end->rank + 100 : end->rank;
  };
  std::ofstream(dir / "1.held") << "algo-2 " << (0x7f | SIGSTOP << 8) << " 5000\n";
  EXPECT_FALSE(CauseOfFailure(dir.path(), 2));  // nobody has ended
  EXPECT_EQ(cause("256 5900", ""), 101);        // its guard was killed before it could say how it ended
  EXPECT_EQ(cause("256 9000", ""), 0);          // long after it went on
  EXPECT_EQ(cause("15 6100", "9 5100"), 101);   // its guard ended it
  EXPECT_EQ(cause("256 5900", "9 5950"), 101);  // the other one gave up sooner, and mpirun ended it
  EXPECT_EQ(cause("256 5900", "15 5950"), 101);
  EXPECT_EQ(cause("256 5900", "0 5950"), 0);  // it went on, and ended as it wanted
  EXPECT_EQ(cause("256 5900", "256 5800"), 1);
  EXPECT_EQ(cause("256 5900", "11 5950"), 0);
  EXPECT_EQ(cause("0 5900", "0 5950"), -1);
}

TEST(MpiCommand, IsTheToolkitsWithWhatSandboxesNeed) {
  const auto words = MpirunWords({.mpirun = "/usr/bin/mpirun",
                                  .hosts = {"algo-1", "algo-2"},
                                  .processes_per_host = 1,
                                  .processes = 2,
                                  .interface = "lo",
                                  .init = "/init",
                                  .doors = "/doors",
                                  .ranks = "/ranks",
                                  .custom_options = {"-x", "A=1"}});
  std::string line;
  for (const auto& word : words) line += word + ' ';
  EXPECT_EQ(
      line,
      "/usr/bin/mpirun --host algo-1,algo-2 -np 2 --allow-run-as-root --display-map --tag-output "
      "-mca btl_tcp_if_include lo -mca oob_tcp_if_include lo -mca plm_rsh_no_tree_spawn 1 -bind-to none -map-by "
      "slot -mca pml ob1 -mca btl self,vader,tcp -mca orte_abort_on_non_zero_status 1 "
      "-mca btl_vader_single_copy_mechanism none --leave-session-attached -mca plm_rsh_agent /init --agent /doors "
      "-mca if_base_do_not_resolve 1 -mca odls_base_sigkill_timeout 0 -x A=1 /init --rank /ranks ");
}

TEST(MpiCommand, SeveralProcessesAHostAreWrittenBehindItsName) {
  const auto words = MpirunWords({.hosts = {"algo-1", "algo-2"}, .processes_per_host = 8, .processes = 16});
  EXPECT_EQ(words[2], "algo-1:8,algo-2:8");
  EXPECT_EQ(words[4], "16");
}

TEST(LaunchDoor, IsThereWhenItsNameIsAndIsWatchedByAConnection) {
  TemporaryDirectory dir;
  EXPECT_EQ(WatchDoor(dir.path(), "algo-2").error().code(), ErrorCode::kNotFound);
  const auto door = ValueOrThrow(MakeDoor(dir.path(), "algo-2"));
  auto watch = ValueOrThrow(WatchDoor(dir.path(), "algo-2"));
  const Descriptor visitor(::accept(door.get(), nullptr, nullptr));
  ASSERT_TRUE(visitor);
  char bytes[64];
  ASSERT_EQ(::recv(visitor.get(), bytes, sizeof bytes, 0), static_cast<ssize_t>(sizeof(LaunchHeader)));
  LaunchRequest request{};
  EXPECT_EQ(ParseLaunchRequest(bytes, sizeof(LaunchHeader), request), LaunchParse::kComplete);
  EXPECT_EQ(request.kind, LaunchKind::kWatch);
  watch.Reset();
  EXPECT_EQ(::recv(visitor.get(), bytes, sizeof bytes, 0), 0);
}

TEST(LaunchDoor, ALongPathIsNoHindrance) {
  TemporaryDirectory dir;
  const auto deep = dir / (std::string(120, 'a') + "/" + std::string(120, 'b'));
  std::filesystem::create_directories(deep);
  const auto door = ValueOrThrow(MakeDoor(deep, "algo-2"));
  EXPECT_TRUE(WatchDoor(deep, "algo-2"));
}

}  // namespace
}  // namespace headrace::jobs
