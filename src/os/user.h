// Users that the system knows by name.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace freehold::os {

struct SystemUser {
  uid_t user = 0;
  gid_t group = 0;
  std::string home;
};

// kNotFound if the system has no user of that name. May ask network services (nsswitch.conf), so it may block.
Result<SystemUser> find_user(std::string_view name);

// Whether somebody of the system has this uid already.
bool is_system_user(uid_t user);

}  // namespace freehold::os
