#include "api/s3/piece_lanes.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "aws/testing/await.h"

namespace headrace::api::s3 {
namespace {

// Sends `count` pieces that hold their numbers.
http::Task<Status> SendAll(PieceLanes& lanes, int count) {
  for (int i = 0; i < count; ++i) {
    auto buffer = co_await lanes.Buffer();
    if (!buffer) co_return tl::unexpected<Error>(buffer.error());
    const std::string text = std::to_string(i) + ",";
    text.copy(buffer->data(), buffer->size());
    lanes.Send(text.size());
  }
  co_return co_await lanes.Finish();
}

TEST(PieceLanes, EveryLaneSeesEveryPieceInOrder) {
  ThreadPool pool(3, 100);
  std::string expected;
  for (int i = 0; i < 500; ++i) expected += std::to_string(i) + ",";
  std::string seen[3];
  std::vector<PieceLanes::Work> works;
  for (std::string& lane : seen)
    works.push_back([&lane, slow = &lane == &seen[1]](std::string_view piece) {
      if (slow) std::this_thread::yield();
      lane += piece;
      return Status();
    });
  PieceLanes lanes(pool, std::move(works), 4, 16);
  EXPECT_TRUE(aws::Await(SendAll(lanes, 500)));
  for (const std::string& lane : seen) EXPECT_EQ(lane, expected);
}

TEST(PieceLanes, AFailureEndsThem) {
  ThreadPool pool(2, 100);
  int written = 0;
  PieceLanes lanes(pool,
                   {[](std::string_view) { return Status(); },
                    [&](std::string_view) -> Status {
                      if (++written < 3) return {};
                      return Fail(ErrorCode::kResourceExhausted, "the disk is full");
                    }},
                   2, 16);
  const Status sent = aws::Await(SendAll(lanes, 100));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code(), ErrorCode::kResourceExhausted);
  EXPECT_EQ(written, 3);
}

TEST(PieceLanes, AFullPoolIsSaid) {
  ThreadPool pool(1, 0);
  PieceLanes lanes(pool, {[](std::string_view) { return Status(); }}, 2, 16);
  const Status sent = aws::Await(SendAll(lanes, 10));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code(), ErrorCode::kUnavailable);
}

http::Task<Status> SendOne(PieceLanes& lanes) {
  auto buffer = co_await lanes.Buffer();
  if (buffer) lanes.Send(1);
  co_return Status();
}

TEST(PieceLanes, NobodyUsesThemWhenTheyAreGone) {
  ThreadPool pool(2, 100);
  std::atomic<bool> begun = false, done = false;
  {
    PieceLanes lanes(pool, {[&](std::string_view) {
                       begun = true;
                       std::this_thread::sleep_for(std::chrono::milliseconds(20));
                       done = true;
                       return Status();
                     }},
                     2, 16);
    EXPECT_TRUE(aws::Await(SendOne(lanes)));
    while (!begun) std::this_thread::yield();
  }
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace headrace::api::s3
