#include "agent/port_pool.h"

#include <gtest/gtest.h>

namespace freehold::agent {
namespace {

TEST(PortPool, BeginsWhereItIsTold) {
  auto all_free = [](uint16_t) { return true; };
  EXPECT_EQ(*PortPool({20000, 20009}, all_free, 7).take(), 20007);
  PortPool last({20000, 20009}, all_free, ~uint64_t{0} - 6);
  EXPECT_EQ(*last.take(), 20009);
  EXPECT_EQ(*last.take(), 20000);
  EXPECT_EQ(*PortPool({1, 65535}, all_free, 65535).take(), 1);
}

TEST(PortPool, GivesEachPortOnceAndSkipsWhatOthersHold) {
  PortPool pool({20000, 20003}, [](uint16_t port) { return port != 20001; });
  EXPECT_EQ(*pool.take(), 20000);
  EXPECT_EQ(*pool.take(), 20002);
  EXPECT_EQ(*pool.take(), 20003);
  EXPECT_EQ(pool.take().error().code(), ErrorCode::kExhausted);
}

TEST(PortPool, LetsAReturnedPortRest) {
  PortPool pool({20000, 20002}, [](uint16_t) { return true; });
  uint16_t first = *pool.take();
  pool.give_back(first);
  EXPECT_NE(*pool.take(), first);
}

TEST(PortPool, ReachesTheVeryLastPort) {
  PortPool pool({65535, 65535}, [](uint16_t) { return true; });
  EXPECT_EQ(*pool.take(), 65535);
  EXPECT_FALSE(pool.take().ok());
}

}  // namespace
}  // namespace freehold::agent
