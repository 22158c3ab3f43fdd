#include "os/spawn.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "os/disk.h"

namespace freehold::os {
namespace {

TEST(Spawn, RunsAProgramWithItsOutputInAFile) {
  std::string output = testing::TempDir() + "/freehold-spawn-" + std::to_string(getpid());
  auto child = spawn({.words = {"/bin/sh", "-c", "echo $WORD; pwd >/dev/null"},
                      .environment = {"WORD=hello"},
                      .standard_output = output});
  ASSERT_TRUE(child.ok());
  int status = 0;
  waitpid(*child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(*system_disk().read(output, Bytes{100}), "hello\n");
  (void)system_disk().remove(output).ok();
}

TEST(Spawn, NamesAProgramThatIsMissing) {
  auto child = spawn({.words = {"/no/such/program"}});
  ASSERT_FALSE(child.ok());
  EXPECT_EQ(child.error().code(), ErrorCode::kNotFound);
  EXPECT_NE(child.error().message().find("/no/such/program"), std::string::npos);
}

TEST(OwnExecutable, IsThisTest) { EXPECT_NE(own_executable()->find("os_test"), std::string::npos); }

}  // namespace
}  // namespace freehold::os
