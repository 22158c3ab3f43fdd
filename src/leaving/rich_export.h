// For tests: what is exported of tests/golden/export/rich.yaml, which uses every key.
#pragma once

#include "leaving/leaving.h"

namespace freehold::leaving {

enum class WithSecrets { kNo, kYes };
Result<Departure> export_of_rich(WithSecrets with);

}  // namespace freehold::leaving
