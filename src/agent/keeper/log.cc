#include "agent/keeper/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>  // renameat is declared here; nothing of stdio is linked
#include <sys/stat.h>
#include <unistd.h>

namespace freehold::keeper {
namespace {

constexpr uint64_t kRecordOverhead = 1024;
constexpr size_t kMostEscapedByByte = 6;
constexpr size_t kTimeLength = 24;
constexpr off_t kTimeOffset = 9;  // behind {"time":"

// Bytes of the well-formed UTF-8 character at the start (RFC 3629: no overlong form, no surrogate), or 0.
size_t character_length(const unsigned char* text, size_t length) {
  unsigned char first = text[0];
  if (first < 0x80) return 1;
  size_t want = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || length < want) return 0;
  for (size_t i = 1; i < want; ++i) {
    if ((text[i] & 0xC0) != 0x80) return 0;
  }
  if (first == 0xE0 && text[1] < 0xA0) return 0;
  if (first == 0xED && text[1] > 0x9F) return 0;
  if (first == 0xF0 && text[1] < 0x90) return 0;
  if (first == 0xF4 && text[1] > 0x8F) return 0;
  return want;
}

// Days since 1970-01-01 to the civil date (Hinnant's algorithm); gmtime would bring the time zone code with it.
void civil(int64_t days, uint64_t& year, uint64_t& month, uint64_t& day) {
  days += 719468;
  uint64_t era = static_cast<uint64_t>(days) / 146097;
  uint64_t of_era = static_cast<uint64_t>(days) % 146097;
  uint64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  uint64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  uint64_t shifted = (5 * of_year + 2) / 153;
  day = of_year - (153 * shifted + 2) / 5 + 1;
  month = shifted < 10 ? shifted + 3 : shifted - 9;
  year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
}

// 2026-11-20T17:26:57.000Z: its order is that of time.
void write_time(uint64_t seconds, uint64_t milliseconds, char* to) {
  uint64_t year = 0, month = 0, day = 0;
  civil(static_cast<int64_t>(seconds / 86400), year, month, day);
  Text<32> text;
  text.number(year, 4).add("-").number(month, 2).add("-").number(day, 2).add("T");
  text.number(seconds / 3600 % 24, 2).add(":").number(seconds / 60 % 60, 2).add(":").number(seconds % 60, 2);
  text.add(".").number(milliseconds, 3).add("Z");
  memcpy(to, text.c_str(), kTimeLength);
}

}  // namespace

void Log::open(int folder, const char* name, const char* service, const char* instance, LogLimits limits) {
  folder_ = folder;
  limits_ = limits;
  strncpy(name_, name, sizeof name_ - 1);
  // Both are names that the file's grammar allows (letters, digits, '-', '.'), so they need no escaping.
  names_.add("\",\"service\":\"").add(service).add("\",\"instance\":\"").add(instance).add("\",\"stream\":\"");
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  set_time(now);
  reopen();
}

void Log::set_time(const timespec& now) {
  uint64_t seconds = now.tv_sec < 0 ? 0 : static_cast<uint64_t>(now.tv_sec);
  uint64_t milliseconds = static_cast<uint64_t>(now.tv_nsec) / 1000000;
  write_time(seconds, milliseconds, time_);
  if (limits_.seconds > 0 && limits_.seconds < seconds) write_time(seconds - limits_.seconds, milliseconds, oldest_);
}

bool Log::reopen() {
  if (file_ >= 0) return true;
  file_ = openat(folder_, name_, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
  if (file_ < 0) {
    error_ = errno;
    return false;
  }
  struct stat status;
  size_ = fstat(file_, &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
  // A keeper or a machine that died in mid-write leaves half a record: close it, so that ours starts a line.
  char last = '\n';
  if (size_ > 0 && pread(file_, &last, 1, static_cast<off_t>(size_ - 1)) == 1 && last != '\n') {
    if (write(file_, "\n", 1) == 1) ++size_;
  }
  safe_size_ = size_;
  first_[0] = 0;
  if (limits_.seconds > 0 && size_ > 0 && pread(file_, first_, sizeof first_, kTimeOffset) != sizeof first_)
    first_[0] = 0;
  return true;
}

const char* Log::rotated_name(uint64_t number) {
  other_name_ = Text<272>();
  other_name_.add(name_);
  if (number > 0) other_name_.add(".").number(number);
  return other_name_.c_str();
}

bool Log::rotate() {
  Text<272> to;
  for (uint64_t number = limits_.files - 1; number > 0; --number) {
    to = Text<272>();
    to.add(name_).add(".").number(number);
    if (renameat(folder_, rotated_name(number - 1), folder_, to.c_str()) != 0 && errno != ENOENT) {
      error_ = errno;
      return false;
    }
  }
  if (limits_.files == 1 && unlinkat(folder_, name_, 0) != 0) {
    error_ = errno;
    return false;
  }
  close(file_);
  file_ = -1;
  // If the new file cannot be made (no inode is left), the next record must not rotate again: each time the oldest
  // goes.
  size_ = safe_size_ = 0;
  return reopen();
}

void Log::add(const char* stream, const char* line, size_t length, bool continued) {
  failed_ = false;
  // Rotation must know what is in the file, and a file may pass its limit by one record at most.
  uint64_t needed = length + kRecordOverhead;
  bool too_old = limits_.seconds > 0 && first_[0] != 0 && memcmp(first_, oldest_, sizeof first_) < 0;
  if (too_old || size_ + used_ + needed > limits_.bytes) flush();
  bool full = size_ > 0 && (too_old || size_ + used_ + needed > limits_.bytes);
  if ((full && !rotate()) || !reopen()) {
    ++dropped_;
    return;
  }
  if (size_ + used_ == 0) memcpy(first_, time_, sizeof first_);
  if (sizeof buffer_ - used_ < kRecordOverhead) flush();
  if (used_ == 0) announce_dropped();
  begin(stream);
  if (continued) put(",\"continued\":true", 17);
  put(",\"line\":\"", 9);
  put_escaped(reinterpret_cast<const unsigned char*>(line), length);
  put("\"}\n", 3);
  if (failed_) return;
  ++in_buffer_;
}

void Log::begin(const char* stream) {
  put("{\"time\":\"", 9);
  put(time_, sizeof time_ - 1);
  put(names_.c_str(), names_.size());
  put(stream, strlen(stream));
  put("\"", 1);
}

void Log::announce_dropped() {
  if (dropped_ == 0 || announced_ != 0) return;
  announced_ = dropped_;
  begin("keeper");
  Text<160> text;
  text.add(",\"dropped\":").number(dropped_).add(",\"line\":\"dropped ").number(dropped_);
  text.add(dropped_ == 1 ? " line" : " lines").add(": the log could not be written");
  const char* reason = error_ == ENOSPC || error_ == EDQUOT ? ": no space left on the disk" : nullptr;
  if (reason != nullptr) {
    text.add(reason);
  } else if (error_ != 0) {
    text.add(" (error ").number(static_cast<uint64_t>(error_)).add(")");
  }
  text.add("\"}\n");
  put(text.c_str(), text.size());
}

void Log::tell_dropped() {
  if (used_ > 0 || !reopen()) return;
  failed_ = false;
  announce_dropped();
  flush();
}

void Log::put(const char* bytes, size_t length) {
  if (failed_) return;
  if (length > sizeof buffer_ - used_) {
    write_out();  // in the middle of a record: safe_size_ stays before it
    if (failed_) return;
  }
  memcpy(buffer_ + used_, bytes, length);
  used_ += length;
}

void Log::put_escaped(const unsigned char* bytes, size_t length) {
  static constexpr char kHex[] = "0123456789abcdef";
  for (size_t i = 0; i < length && !failed_;) {
    // Plain text is by far the most of it: copied in runs.
    size_t run = i;
    while (run < length && bytes[run] >= 0x20 && bytes[run] < 0x7F && bytes[run] != '"' && bytes[run] != '\\') ++run;
    while (i < run && !failed_) {
      size_t step = run - i < 1024 ? run - i : 1024;
      put(reinterpret_cast<const char*>(bytes) + i, step);
      i += step;
    }
    if (i >= length) break;
    size_t size = character_length(bytes + i, length - i);
    if (size == 0) {
      put("\xEF\xBF\xBD", 3);
      ++i;
      continue;
    }
    unsigned char c = bytes[i];
    // C1 controls too: a terminal that shows the log must not obey it.
    bool control = c < 0x20 || c == 0x7F || (c == 0xC2 && bytes[i + 1] < 0xA0);
    if (control) {
      unsigned char code = size == 2 ? bytes[i + 1] : c;
      char escape[kMostEscapedByByte] = {'\\', 'u', '0', '0', kHex[code >> 4], kHex[code & 15]};
      if (c == '\t') {
        put("\\t", 2);
      } else if (c == '\r') {
        put("\\r", 2);
      } else {
        put(escape, sizeof escape);
      }
    } else if (c == '"' || c == '\\') {
      char escape[2] = {'\\', static_cast<char>(c)};
      put(escape, 2);
    } else {
      put(reinterpret_cast<const char*>(bytes) + i, size);
    }
    i += size;
  }
}

void Log::write_out() {
  size_t done = 0;
  while (done < used_) {
    ssize_t written = write(file_, buffer_ + done, used_ - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      fail(written < 0 ? errno : ENOSPC);
      failed_ = true;
      ++dropped_;  // the record that was being added
      return;
    }
    done += static_cast<size_t>(written);
    size_ += static_cast<size_t>(written);
  }
  used_ = 0;
}

// Takes the file back to its last whole record: half of one must not stay, and the space may do for a later one.
void Log::fail(int error) {
  error_ = error;
  dropped_ += in_buffer_;
  if (size_ > safe_size_ && ftruncate(file_, static_cast<off_t>(safe_size_)) == 0) size_ = safe_size_;
  safe_size_ = size_;
  used_ = 0;
  in_buffer_ = 0;
  announced_ = 0;
}

void Log::flush() {
  if (used_ == 0) return;
  failed_ = false;
  write_out();
  if (failed_) {
    --dropped_;  // no record was being added: all that was lost stood in the buffer
    failed_ = false;
    return;
  }
  safe_size_ = size_;
  in_buffer_ = 0;
  dropped_ -= announced_;
  announced_ = 0;
}

}  // namespace freehold::keeper
