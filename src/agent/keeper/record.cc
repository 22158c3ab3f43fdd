#include "agent/keeper/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>  // renameat is declared here; nothing of stdio is linked
#include <time.h>
#include <unistd.h>

#include "agent/keeper/text.h"

namespace freehold::keeper {
namespace {

constexpr size_t kExitBytes = 512;

bool write_all(int file, const char* bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(file, bytes, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    length -= static_cast<size_t>(written);
  }
  return true;
}

}  // namespace

uint64_t start_time(pid_t pid) {
  Text<64> path;
  path.add("/proc/").number(static_cast<uint64_t>(pid)).add("/stat");
  int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[1024];
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return 0;
  text[length] = 0;
  // The name in brackets may hold anything: fields are counted from the last bracket. The next one is field 3.
  const char* at = strrchr(text, ')');
  for (int field = 2; at != nullptr && field < 22; ++field) {
    at = strchr(at, ' ');
    if (at != nullptr) ++at;
  }
  if (at == nullptr) return 0;
  uint64_t value = 0;
  while (*at >= '0' && *at <= '9') value = value * 10 + static_cast<uint64_t>(*at++ - '0');
  return value;
}

int Records::open(const char* folder) {
  folder_ = ::open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_ < 0) return errno;
  if (unlinkat(folder_, "exit", 0) != 0 && errno != ENOENT) return errno;
  exit_ = openat(folder_, "exit.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (exit_ < 0) return errno;
  // Where the file system cannot reserve (EOPNOTSUPP), the room is taken by writing.
  if (int error = posix_fallocate(exit_, 0, kExitBytes)) return error;
  return 0;
}

int Records::write_pid(const char* boot, Identity keeper, Identity child) {
  Text<512> text;
  text.add("{\"version\":1,\"boot\":\"").add(boot).add("\",\"keeper\":{\"pid\":");
  text.number(static_cast<uint64_t>(keeper.pid)).add(",\"start\":").number(keeper.start);
  text.add("},\"child\":{\"pid\":").number(static_cast<uint64_t>(child.pid)).add(",\"start\":");
  text.number(child.start).add("}}\n");
  int file = openat(folder_, "pid.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (file < 0) return errno;
  bool whole = write_all(file, text.c_str(), text.size());
  int error = whole ? 0 : errno;
  close(file);
  if (error == 0 && renameat(folder_, "pid.new", folder_, "pid") != 0) error = errno;
  return error;
}

int Records::write_exit(const Ending& ending) {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  Text<kExitBytes> text;
  text.add("{\"version\":1,\"code\":").number(static_cast<uint64_t>(ending.code));
  text.add(",\"signal\":").number(static_cast<uint64_t>(ending.signal));
  text.add(",\"step\":\"").add(ending.step).add("\",\"error\":").number(static_cast<uint64_t>(ending.error));
  text.add(",\"oom_kills\":").number(ending.oom_kills);
  text.add(",\"at\":").number(static_cast<uint64_t>(now.tv_sec)).number(static_cast<uint64_t>(now.tv_nsec), 9);
  text.add("}\n");
  if (!write_all(exit_, text.c_str(), text.size())) return errno;
  if (ftruncate(exit_, static_cast<off_t>(text.size())) != 0) return errno;
  if (fsync(exit_) != 0) return errno;
  if (renameat(folder_, "exit.new", folder_, "exit") != 0) return errno;
  return fsync(folder_) == 0 ? 0 : errno;
}

}  // namespace freehold::keeper
