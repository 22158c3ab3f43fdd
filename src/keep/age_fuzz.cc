// Any bytes as an encrypted file, and any change of one: nothing that was not written under the key reaches its end,
// and what was written comes back.
#include <cstdint>
#include <cstdlib>

#include "keep/age.h"
#include "keep/zstd.h"

namespace {

using freehold::Result;
using freehold::keep::AgeReader;
using freehold::keep::AgeWriter;
using freehold::keep::Key;

bool opens(const Key& key, std::string_view file, std::string& out) {
  AgeReader reader(AgeReader::opener(key), [&](std::string_view part) -> Result<void> {
    out += part;
    return {};
  });
  return reader.write(file) && reader.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static freehold::os::SeededRandom random(1);
  static const Key key = *Key::from_file("AGE-SECRET-KEY-1X9GQ73XX6NF6A36XUSL5L25J7WRQH0VHRVUZWNFH0ZPD8GV59LPS4GDHG7");
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string out;
  (void)opens(key, bytes, out);
  (void)Key::from_file(bytes).ok();
  freehold::keep::Decompressor decompressor([](std::string_view) -> Result<void> { return {}; });
  if (decompressor.write(bytes)) (void)decompressor.finish().ok();

  std::string file;
  AgeWriter writer = *AgeWriter::begin(key, random, 1, [&](std::string_view part) -> Result<void> {
    file += part;
    return {};
  });
  if (!writer.write(bytes) || !writer.finish()) std::abort();
  out.clear();
  if (!opens(key, file, out) || out != bytes) std::abort();
  if (size == 0) return 0;
  size_t at = (size_t{data[0]} | size_t{data[size - 1]} << 8) % file.size();
  file[at] = static_cast<char>(file[at] ^ (1 + data[size / 2] % 127));
  if (opens(key, file, out)) std::abort();
  return 0;
}
