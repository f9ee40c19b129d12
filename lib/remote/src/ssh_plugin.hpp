// The seam between the tools and the library of ours that links libssh. Loading that costs 2 ms, which who
// only runs something on this machine need not pay; so it is a library of its own, loaded at the first remote
// node.
#pragma once

#include <memory>

#include "channel.hpp"

namespace jackal::remote {

/// What the library exports under this name; it is built together with the tools and never mixed with another
/// version's.
inline constexpr const char* kSshPluginEntry = "jackal_ssh_connect_" JACKAL_VERSION_TAG;
using SshPluginEntry = Connection* (*)(Loop& loop, const NodeOptions& options, Connection::Events* events);

}  // namespace jackal::remote
