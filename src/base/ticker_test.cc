#include "base/ticker.h"

#include <atomic>
#include <future>

#include <gtest/gtest.h>

namespace headrace {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(TickerTest, TicksUntilItIsStopped) {
  std::atomic<int> ticks = 0;
  std::promise<void> third;
  Ticker ticker;
  ticker.Start(milliseconds(1), [&] {
    if (++ticks == 3) third.set_value();
  });
  third.get_future().wait();
  ticker.Stop();
  const int seen = ticks;
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(ticks, seen);
}

TEST(TickerTest, AStopWaitsForNoInterval) {
  Ticker ticker;
  ticker.Start(hours(1), [] { FAIL(); });
  ticker.Stop();
  ticker.Stop();
}

TEST(TickerTest, ACallThatSleepsIsToldToEnd) {
  std::promise<void> begun;
  bool went_on = true;
  {
    Ticker ticker;
    ticker.Start(milliseconds(1), [&] {
      begun.set_value();
      went_on = ticker.Sleep(hours(1));
    });
    begun.get_future().wait();
  }
  EXPECT_FALSE(went_on);
}

TEST(TickerTest, WithoutAThreadASleepIsASleep) {
  Ticker ticker;
  EXPECT_TRUE(ticker.Sleep(milliseconds(1)));
}

}  // namespace
}  // namespace headrace
