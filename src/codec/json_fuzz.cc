// Any bytes: parse must not crash, and what it accepts must survive being written and read again.
#include <cstdint>
#include <cstdlib>

#include "codec/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using freehold::codec::Json;
  auto value = Json::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!value) return 0;
  auto again = Json::parse(value->dump());
  if (!again || again->dump() != value->dump()) std::abort();
  return 0;
}
