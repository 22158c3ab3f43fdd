// README.md of an export: what to do with it, and what is different. Internal to leaving.
#pragma once

#include "leaving/ground.h"

namespace freehold::leaving {

// After all else is written: it tells of it.
void write_guide(const Given& given, const Ground& ground, Departure& out);

}  // namespace freehold::leaving
