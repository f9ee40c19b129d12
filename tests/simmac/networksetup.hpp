// The network services' preferences, which outlast a restart.
#pragma once

#include <string>
#include <vector>

#include "simmac/commands.hpp"

namespace jackal::simmac {

/// The lines for `ip` that give every service with a manual configuration its address. A member of a bridge
/// gets none.
std::vector<std::string> configured_lines(const Mac& mac);

}  // namespace jackal::simmac
