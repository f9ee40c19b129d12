// A certificate and the key that it is for.
#pragma once

#include <libssh/libssh.h>

namespace jackal::remote {

/// libssh itself compares no certificate with a key.
bool is_certificate_for(ssh_key certificate, ssh_key key);

}  // namespace jackal::remote
