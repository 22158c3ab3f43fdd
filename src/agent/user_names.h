// A name for the user of a service, where getpwuid() and getgrgid() look for one: PostgreSQL's initdb, ssh and git do
// not work for a user id that nobody has named.
//
// The machine's own lists are not touched: the instance sees copies with one line more, at /etc/passwd and /etc/group.
#pragma once

#include <string>

#include "agent/launch_spec.h"
#include "base/result.h"

namespace freehold::agent {

struct UserNames {
  std::string users;   // a file to be shown as /etc/passwd; empty: there is nothing to show
  std::string groups;  // as /etc/group
};

// Writes the copies into the instance's folder. Empty where there is nothing to add: the service runs as us, as root or
// as a user of the machine, or the machine has no such lists.
Result<UserNames> write_user_names(const LaunchSpec& spec);

}  // namespace freehold::agent
