// What counts as an IP address in host files and host lists.
#pragma once

#include <string_view>

namespace jackal::hostfile {

/// "10.0.0.1", "fe80::1" or "fe80::1%en0". No name, no port, no brackets, no prefix length.
bool is_ip_address(std::string_view text);

}  // namespace jackal::hostfile
