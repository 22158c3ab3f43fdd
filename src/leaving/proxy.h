// nginx in the place of the gateway. Internal to leaving.
#pragma once

#include "leaving/ground.h"

namespace freehold::leaving {

void write_proxy(const Given& given, const Ground& ground, Departure& out);

}  // namespace freehold::leaving
