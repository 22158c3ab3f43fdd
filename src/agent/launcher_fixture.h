// What the tests of the launcher share: a state directory of their own on the real kernel, and its removal.
#pragma once

#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>

#include "agent/launcher.h"
#include "os/clock.h"
#include "os/disk.h"

namespace freehold::agent {

using namespace std::chrono_literals;

inline bool test_is_root() { return geteuid() == 0; }

// The keeper of this build.
std::string built_keeper();

// Waits for the condition, at most for `most`.
inline bool eventually(const std::function<bool()>& condition, Duration most = 20s) {
  MonotonicTime deadline = os::system_clock().monotonic() + most;
  while (!condition()) {
    if (os::system_clock().monotonic() > deadline) return false;
    sched_yield();
  }
  return true;
}

#define FH_NEEDS_ROOT() \
  if (!test_is_root()) GTEST_SKIP() << "only root can give a service a user of its own"
#define FH_NEEDS_MOUNTS() \
  if (!Launcher::can_make_mounts()) GTEST_SKIP() << "a /tmp of its own needs root, outside of a chroot"
#define FH_NEEDS_CONTROLLER(name) \
  if (!has_controller(name)) GTEST_SKIP() << "there is no control group controller '" name "' here"

class LauncherFixture : public testing::Test {
 protected:
  LauncherFixture() {
    // Not below /tmp: what a service sees there is its own.
    std::string name = std::string(access("/var/lib", W_OK) == 0 ? "/var/lib" : "/dev/shm") + "/freehold-launch-XXXXXX";
    root_ = mkdtemp(name.data());
    chmod(root_.c_str(), 0755);
    tree_ = root_.substr(root_.rfind('/') + 1);
    use({});
  }
  ~LauncherFixture() override {
    for (const LaunchSpec& spec : specs_) {
      (void)eventually([&] { return launcher_->is_gone(spec.folder) || !launcher_->kill_all(spec.folder).ok(); }, 10s);
      auto cleaned = launcher_->cleanup(spec.folder);
      EXPECT_TRUE(cleaned.ok()) << cleaned.error().message();
    }
    EXPECT_TRUE(os::CgroupTree::find(tree_).list().empty()) << "control groups were left behind";
    use({});
    EXPECT_TRUE(launcher_->remove_tree().ok());
    (void)os::system_disk().remove_tree(root_).ok();
  }

  void use(const os::CgroupTree::Ground& ground) {
    Launcher::Options options{built_keeper(), tree_};
    options.ground = ground;
    auto made = Launcher::create(options);
    ASSERT_TRUE(made.ok()) << made.error().message();
    launcher_ = *std::move(made);
  }
  // A service waits at its gate (a FIFO in its folder) until the test opens it.
  void make_gate(const LaunchSpec& spec) { ASSERT_EQ(mkfifo((spec.directory + "/gate").c_str(), 0666), 0); }
  void open_gate(const LaunchSpec& spec) { write_file(spec.directory + "/gate", "go\n"); }
  // Until the log holds a line like this; a service says so when it is ready.
  bool wait_for_line(const LaunchSpec& spec, const std::string& line) {
    return eventually([&] { return ("\n" + output_of(spec)).find("\n" + line + "\n") != std::string::npos; });
  }
  Running start(const LaunchSpec& spec) {
    auto running = launcher_->start(spec);
    EXPECT_TRUE(running.ok()) << running.error().message();
    return running.ok() ? *std::move(running) : Running();
  }

  static bool has_controller(std::string_view name) { return os::CgroupTree::find("freehold-test").has(name); }

  LaunchSpec make_spec(std::vector<std::string> command) {
    int number = static_cast<int>(specs_.size());
    LaunchSpec spec;
    spec.service = "web";
    spec.instance = fmt::format("web.{}", number);
    spec.command = std::move(command);
    spec.directory = fmt::format("{}/release.{}", root_, number);
    spec.log_folder = root_ + "/logs";
    spec.folder = fmt::format("{}/instances/{}", root_, spec.instance);
    spec.linger = 500ms;
    mkdir(spec.directory.c_str(), 0755);
    if (test_is_root())
      spec.user = UserIds{1900000100 + static_cast<uid_t>(number), 1900000100 + static_cast<gid_t>(number)};
    specs_.push_back(spec);
    return spec;
  }
  LaunchSpec shell(const std::string& script) { return make_spec({"/bin/sh", "-c", script}); }

  model::Exit finish(const LaunchSpec& spec, const Running& running) {
    EXPECT_TRUE(os::wait_ended(running.keeper_fd, 30s)) << "it did not end";
    Launcher::reap(running.keeper_fd);
    auto exit = launcher_->read_exit(spec.folder);
    EXPECT_TRUE(exit.ok()) << exit.error().message();
    return exit.ok() ? *exit : model::Exit();
  }
  model::Exit run(const LaunchSpec& spec) {
    auto running = launcher_->start(spec);
    EXPECT_TRUE(running.ok()) << running.error().message();
    if (!running) return {};
    return finish(spec, *running);
  }
  bool wait_gone(const LaunchSpec& spec) {
    return eventually([&] { return launcher_->is_gone(spec.folder); }, 10s);
  }
  // All lines of its log, in order, oldest file first.
  std::vector<codec::Json> log_of(const LaunchSpec& spec) {
    std::vector<codec::Json> out;
    for (int number = 100; number >= 0; --number) {
      std::string path =
          fmt::format("{}/{}.log{}", spec.log_folder, spec.instance, number ? fmt::format(".{}", number) : "");
      std::ifstream file(path);
      for (std::string line; std::getline(file, line);) {
        auto json = codec::Json::parse(line);
        EXPECT_TRUE(json.ok()) << path << ": " << line;
        if (json) out.push_back(*std::move(json));
      }
    }
    return out;
  }
  std::string output_of(const LaunchSpec& spec) {
    std::string out;
    for (const codec::Json& record : log_of(spec))
      out += record["line"].as_string() + (record["continued"].as_bool() ? "" : "\n");
    return out;
  }
  static void write_file(const std::string& path, const std::string& text) {
    std::ofstream file(path);
    file << text;
  }

  std::string root_;
  std::string tree_;
  std::unique_ptr<Launcher> launcher_;
  std::vector<LaunchSpec> specs_;
};

}  // namespace freehold::agent
