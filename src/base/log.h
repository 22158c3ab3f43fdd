// The front of logging: what a part of Freehold says about itself, to standard error.
//
//   log_info("control", "generation {} applied in {}", number, format_short(took));
//
// One line per message: JSON when standard error is not a terminal, short coloured text when it is (NO_COLOR
// respected). Not for events (src/events keeps those) and not for services' output (keepers write that). Thread safe:
// one write(2) per line. Never pass a secret.
#pragma once

#include <fmt/core.h>

#include <string_view>

namespace freehold {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Messages below this level are dropped; kInfo unless set. Set once at start, before threads.
void set_log_level(LogLevel level);

void log_line(LogLevel level, std::string_view part, std::string_view message);

template <class... Arguments>
void log_debug(std::string_view part, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  log_line(LogLevel::kDebug, part, fmt::format(format, std::forward<Arguments>(arguments)...));
}
template <class... Arguments>
void log_info(std::string_view part, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  log_line(LogLevel::kInfo, part, fmt::format(format, std::forward<Arguments>(arguments)...));
}
template <class... Arguments>
void log_warning(std::string_view part, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  log_line(LogLevel::kWarning, part, fmt::format(format, std::forward<Arguments>(arguments)...));
}
template <class... Arguments>
void log_error(std::string_view part, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  log_line(LogLevel::kError, part, fmt::format(format, std::forward<Arguments>(arguments)...));
}

}  // namespace freehold
