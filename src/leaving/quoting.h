// Texts as the files of others want them written. Internal to leaving; pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace freehold::leaving {

// ---- systemd (systemd.syntax(7), systemd.service(5)): inside of double quotes, where `%` begins a specifier
std::string unit_text(std::string_view text);
// ... of a command, where `$` begins a variable too.
std::string command_text(std::string_view text);
// A word or assignment that is escaped already: in quotes where it needs them.
std::string quoted(const std::string& escaped);

// ---- an EnvironmentFile: what stands behind `NAME=`
std::string environment_value(std::string_view value);

// ---- nginx: a parameter in double quotes. Where variables are replaced a `$` is one too, and cannot be escaped.
std::string nginx_text(std::string_view text);
// The text as a part of a regular expression.
std::string regex_text(std::string_view text);

}  // namespace freehold::leaving
