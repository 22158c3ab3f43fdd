// Which words may name what. Internal to model; `expected` texts stand beside, so that messages cannot drift from
// rules.
#pragma once

#include <string>
#include <string_view>

namespace freehold::model {

// Organisations, services, volumes: they become parts of file names, cgroups and user names.
bool is_name(std::string_view text);
inline constexpr std::string_view kNameRule =
    "a name: a lower-case letter, then at most 38 lower-case letters, digits and '-'";

bool is_environment_name(std::string_view text);
inline constexpr std::string_view kEnvironmentNameRule =
    "the name of an environment variable: letters, digits and '_', not starting with a digit";

bool is_secret_name(std::string_view text);
inline constexpr std::string_view kSecretNameRule =
    "the name of a secret: a letter, then at most 62 letters, digits, '_' and '-'";

bool is_user_name(std::string_view text);
inline constexpr std::string_view kUserRule = "auto, root, or the name of a user of this machine";

// The shape only: whether the zone exists is for FileInput::timezone_exists to say.
bool is_timezone(std::string_view text);

// A host to match, lower case: "coop.example", "*.coop.example", "127.0.0.1". Why not, or empty.
std::string host_problem(std::string_view host);
// A host to connect to: a DNS name, IPv4, or IPv6 (without brackets).
bool is_upstream_host(std::string_view host);
bool is_ipv4(std::string_view text);
bool is_ipv6(std::string_view text);

// The pattern of a path without a final "*". Why not, or empty.
std::string pattern_problem(std::string_view pattern);

// Whole decimal numbers only.
bool parse_port(std::string_view text, uint16_t& port);

// "TERM" or "SIGTERM"; 0 if there is no such signal.
int signal_number(std::string_view name);

}  // namespace freehold::model
