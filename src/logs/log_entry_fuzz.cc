// Any line of a log, as a program, a full disk or a crash may have left it: an entry of bounded size, or an error.
#include <cstdint>
#include <cstdlib>

#include "logs/log_files.h"

using namespace freehold::logs;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view line(reinterpret_cast<const char*>(data), size);
  for (LogFormat format : {LogFormat::kKeeper, LogFormat::kAccess}) {
    auto entry = parse_entry(line, format);
    if (entry && entry->service.size() + entry->instance.size() > size) std::abort();
    if (entry && entry->line.size() > size) std::abort();
  }
  return 0;
}
