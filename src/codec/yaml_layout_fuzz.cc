// Any bytes: what is laid out is laid out the same again, and a text that reads well is never made to read otherwise.
#include <cstdint>
#include <cstdlib>

#include "codec/yaml_layout.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto once = freehold::codec::lay_out_yaml({reinterpret_cast<const char*>(data), size});
  if (!once) return 0;
  auto twice = freehold::codec::lay_out_yaml(*once);
  if (!twice || *twice != *once) std::abort();
  return 0;
}
