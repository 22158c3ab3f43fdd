#include "agent/keeper/configuration.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "agent/keeper/text.h"

namespace freehold::keeper {
namespace {

constexpr size_t kWordBytes = 2 * (kMostWords + 1) * sizeof(char*);

bool is(const char* a, const char* b) { return strcmp(a, b) == 0; }

// Letters, digits, '-', '_', '.': what needs no escaping in JSON and is no path.
bool is_name(const char* text) {
  size_t length = 0;
  for (; *text != 0; ++text, ++length) {
    bool plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || (*text >= '0' && *text <= '9') ||
                 *text == '-' || *text == '_' || *text == '.';
    if (!plain) return false;
  }
  return length > 0 && length <= 200;
}

struct TextRecord {
  const char* key;
  const char* Configuration::* member;
};
constexpr TextRecord kTexts[] = {
    {"instance", &Configuration::instance},
    {"service", &Configuration::service},
    {"boot", &Configuration::boot},
    {"folder", &Configuration::folder},
    {"log_folder", &Configuration::log_folder},
    {"log_name", &Configuration::log_name},
    {"cwd", &Configuration::cwd},
    {"kill_file", &Configuration::kill_file},
    {"oom_file", &Configuration::oom_file},
    {"private_tmp", &Configuration::private_tmp},
    {"private_var_tmp", &Configuration::private_var_tmp},
    {"user_list", &Configuration::user_list},
    {"group_list", &Configuration::group_list},
};

struct NumberRecord {
  const char* key;
  uint64_t Configuration::* member;
  bool Configuration::* present;
};
constexpr NumberRecord kNumbers[] = {
    {"log_bytes", &Configuration::log_bytes, nullptr},
    {"log_files", &Configuration::log_files, nullptr},
    {"log_seconds", &Configuration::log_seconds, nullptr},
    {"user", &Configuration::user, &Configuration::has_user},
    {"group", &Configuration::group, nullptr},
    {"files", &Configuration::files, &Configuration::has_files},
    {"umask", &Configuration::umask, nullptr},
    {"oom_score", &Configuration::oom_score, nullptr},
    {"linger_ms", &Configuration::linger_ms, nullptr},
    {"drain_ms", &Configuration::drain_ms, nullptr},
};

}  // namespace

int Configuration::read(int descriptor) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) return errno;
  if (status.st_size <= 0 || static_cast<size_t>(status.st_size) > kMostBytes) return E2BIG;
  size_ = static_cast<size_t>(status.st_size);
  void* mapped = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0);
  if (mapped == MAP_FAILED) return errno;
  bytes_ = static_cast<char*>(mapped);
  if (bytes_[size_ - 1] != 0) return EPROTO;
  void* words = mmap(nullptr, kWordBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (words == MAP_FAILED) return errno;
  words_ = static_cast<char**>(words);
  argv = words_;
  environment = words_ + kMostWords + 1;

  char* at = bytes_;
  char* end = bytes_ + size_;
  if (!is(at, "freehold-keeper 1")) return EPROTO;
  for (at += strlen(at) + 1; at < end; at += strlen(at) + 1) {
    if (is(at, "end")) return at + strlen(at) + 1 == end ? check() : EPROTO;
    char* equals = strchr(at, '=');
    if (equals == nullptr) return EINVAL;
    *equals = 0;
    if (int error = apply(at, equals + 1)) return error;
    *equals = '=';
  }
  return EPROTO;
}

int Configuration::apply(char* key, char* value) {
  if (is(key, "argv")) {
    if (argument_count_ == kMostWords) return E2BIG;
    argv[argument_count_++] = value;
    return 0;
  }
  if (is(key, "env")) {
    if (environment_count_ == kMostWords) return E2BIG;
    environment[environment_count_++] = value;
    return 0;
  }
  if (is(key, "cgroup")) {
    if (cgroup_count == kMostCgroups) return E2BIG;
    cgroups[cgroup_count++] = value;
    return 0;
  }
  if (is(key, "bind") || is(key, "read_only")) {
    if (bind_count == kMostBinds) return E2BIG;
    binds[bind_count++] = {value, is(key, "read_only")};
    return 0;
  }
  if (is(key, "mode")) {
    mode = is(value, "command") ? Mode::kCommand : Mode::kInstance;
    return mode == Mode::kCommand || is(value, "instance") ? 0 : EINVAL;
  }
  uint64_t number = 0;
  if (is(key, "listen") || is(key, "mount_namespace")) {
    if (!parse_number(value, number) || number < kFirstPassedDescriptor || number > 1024) return EINVAL;
    if (*key == 'm') {
      mount_namespace = static_cast<int>(number);
      return 0;
    }
    if (listen_count == kMostListen) return E2BIG;
    listen[listen_count++] = static_cast<int>(number);
    return 0;
  }
  for (const TextRecord& record : kTexts) {
    if (!is(key, record.key)) continue;
    this->*record.member = value;
    return 0;
  }
  for (const NumberRecord& record : kNumbers) {
    if (!is(key, record.key)) continue;
    if (!parse_number(value, this->*record.member)) return EINVAL;
    if (record.present != nullptr) this->*record.present = true;
    return 0;
  }
  return EINVAL;  // a newer agent wants something that this keeper would silently not do
}

int Configuration::check() const {
  if (argument_count_ == 0 || cwd == nullptr) return EINVAL;
  if (!is_name(instance) || !is_name(service)) return EINVAL;
  if (mode == Mode::kCommand) return 0;
  if (folder == nullptr || log_folder == nullptr || log_name == nullptr) return EINVAL;
  if (strlen(log_name) > 240) return ENAMETOOLONG;
  if (log_files < 1 || log_files > 1000 || log_bytes < 4096) return EINVAL;
  return 0;
}

void Configuration::discard() {
  if (bytes_ != nullptr) munmap(bytes_, size_);
  if (words_ != nullptr) munmap(static_cast<void*>(words_), kWordBytes);
  *this = Configuration();
}

}  // namespace freehold::keeper
