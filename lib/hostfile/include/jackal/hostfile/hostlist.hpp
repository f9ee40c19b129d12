// Host lists of the command line: "mac[1-4],user@mini", "mac[01-16,20]", and what --exclude takes out of one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/error.hpp"

namespace jackal::hostfile {

/// Expands a comma-separated list with ranges, in order, duplicates kept; of several brackets the last counts
/// fastest. `flag` names the option in errors. An IPv6 address in brackets ("[::1]", "user@[fe80::1%en0]") is
/// a host, not a range, and comes back without them. More than 100,000 hosts are refused.
Result<std::vector<std::string>> expand_hosts(std::string_view list, std::string_view flag);

/// `hosts` without those in `excluded`. A name that is not there is an error: it is most likely a typing
/// mistake.
Result<std::vector<std::string>> exclude_hosts(std::vector<std::string> hosts,
                                               const std::vector<std::string>& excluded);

}  // namespace jackal::hostfile
