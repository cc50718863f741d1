#include "jobs/machine/port_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/descriptor.h"

namespace headrace::jobs {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(PortPool, GivesNoPortTwice) {
  PortPool pool;
  const auto first = pool.Take(100), second = pool.Take(100);
  std::set<int> all(first.begin(), first.end());
  all.insert(second.begin(), second.end());
  EXPECT_THAT(all, SizeIs(200));
  EXPECT_GE(*all.begin(), 1024);
  EXPECT_LE(*all.rbegin(), 65535);
}

TEST(PortPool, LeavesOutWhatIsListenedAt) {
  PortPool pool;
  const auto ports = pool.Take(1);
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(ports[0]));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(socket.get(), 1), 0);
  pool.GiveBack(ports);
  const auto all = pool.Take(11'900);  // nearly all that there are
  EXPECT_FALSE(all.empty());
  EXPECT_EQ(std::count(all.begin(), all.end(), ports[0]), 0);
  EXPECT_THAT(pool.Take(1000), IsEmpty());
  pool.GiveBack(all);
  EXPECT_THAT(pool.Take(1000), SizeIs(1000));
}

}  // namespace
}  // namespace headrace::jobs
