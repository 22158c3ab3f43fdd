// The version of this build, from CMakeLists.txt.
#pragma once

namespace freehold::cli {

inline constexpr const char* kVersion = FREEHOLD_VERSION;

}  // namespace freehold::cli
