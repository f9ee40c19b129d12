// Which of a host's settings the user must hear about, because we do not do what `ssh` would.
#pragma once

#include <string>
#include <vector>

#include "ssh_config_chosen.hpp"

namespace jackal::remote {

/// "Keyword (file:line)" for every setting of this effect that makes a difference, each keyword once.
std::vector<std::string> settings_that_matter(const Chosen& settings, Effect effect);

}  // namespace jackal::remote
