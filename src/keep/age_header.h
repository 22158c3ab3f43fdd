// The header of the age format, version 1 (https://age-encryption.org/v1): who can open the file.
//
// A file is encrypted under a key of its own; the header holds that one, wrapped for a passphrase (scrypt) or a public
// key (X25519), and a tag over all of itself. Pure, but for the randomness that is passed in. Errors of reading:
// kInvalid (no such file), kUnsupported (a newer form), kDenied (not this key), kCorrupt (changed), kExhausted
// (memory).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "keep/key.h"

namespace freehold::keep {

inline constexpr std::string_view kAgeIntroduction = "age-encryption.org/v1\n";
inline constexpr size_t kMostHeader = 16 << 10;
inline constexpr size_t kFileKeyBytes = 16;
// As age has it: 256 MiB and about a second for each try of a passphrase.
inline constexpr int kWorkFactor = 18;

// The header, for a file key that was drawn for this file alone.
Result<std::string> write_age_header(const Key& key, std::string_view file_key, int work_factor, os::Random& random);

// Where the header ends in these first bytes of a file: 0 while it goes on. kInvalid if they cannot become one.
Result<size_t> end_of_age_header(std::string_view bytes);
// The file key, of a header that is whole.
Result<std::string> open_age_header(std::string_view header, const Key& key);

}  // namespace freehold::keep
