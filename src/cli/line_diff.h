// A unified diff of two texts whose lines correspond one to one, but for blank lines at the end: what `fmt --diff`
// shows.
#pragma once

#include <string>
#include <string_view>

namespace freehold::cli {

// As `diff -u` prints it and `patch` reads it, with three lines around each change; empty if the texts are equal.
std::string line_diff(const std::string& path, std::string_view before, std::string_view after);

}  // namespace freehold::cli
