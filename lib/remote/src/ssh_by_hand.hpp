// The command with which a person sees for themselves what we saw.
#pragma once

#include <string>

#include "jackal/remote/node.hpp"

namespace jackal::remote {

/// `ssh -F FILE NAME`, with the file where we were given one.
std::string ssh_by_hand(const NodeOptions& options);
/// "Check with: ssh -F FILE NAME true"
std::string check_by_hand(const NodeOptions& options);

}  // namespace jackal::remote
