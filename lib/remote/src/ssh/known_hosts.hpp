// What the known_hosts files know about one host. All of them count, as in ssh; libssh itself would read one
// of the user's and one of the system's, and knows nothing of @revoked.
#pragma once

#include <libssh/libssh.h>

#include <string>

#include "jackal/remote/ssh_config.hpp"

namespace jackal::remote {

enum class HostKey { known, unknown, changed, revoked };

/// The name under which a host stands there: `host`, `[host]:port` or its alias.
std::string known_hosts_name(const HostSettings& settings);

/// Reads the files anew.
HostKey look_up_host_key(const HostSettings& settings, ssh_key presented);

/// The algorithms to ask the server's key by: the configuration's, else those of keys that we know first, as
/// only these can be checked. Empty: libssh's own order.
std::string host_key_preference(const HostSettings& settings);

}  // namespace jackal::remote
