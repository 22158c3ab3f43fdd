// The units of systemd, the users that they run as, and the files of their secrets. Internal to leaving.
#pragma once

#include "leaving/ground.h"

namespace freehold::leaving {

void write_units(const Given& given, const Ground& ground, Departure& out);

}  // namespace freehold::leaving
