// OpenSSH's patterns: `*` any bytes, `?` one, lists with commas, `!` in front of what must not match.
#pragma once

#include <string_view>

namespace jackal::remote {

bool matches_pattern(std::string_view text, std::string_view pattern);

/// At least one pattern of the list matches and no negated one does.
bool matches_list(std::string_view text, std::string_view list);

/// The same for host names, whose case does not count.
bool matches_host_list(std::string_view host, std::string_view list);

}  // namespace jackal::remote
