#include "agent/launcher_fixture.h"

namespace freehold::agent {

std::string built_keeper() { return FREEHOLD_KEEPER; }

}  // namespace freehold::agent
