// What kind of address a text is, and who can reach it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace jackal::launch {

enum class AddressFamily { none, ipv4, ipv6 };  // none: a name, or nothing

AddressFamily address_family(std::string_view text);

/// 127.0.0.0/8, ::1: nobody else reaches it.
bool is_loopback(std::string_view address);

/// fe80::/10: it means something only together with an interface of the machine that uses it.
bool is_ipv6_link_local(std::string_view address);

/// "::1" for "[::1]".
std::string without_brackets(std::string_view host);

/// "10.0.0.1:80", "[fe80::1]:80".
std::string with_port(std::string_view address, std::string_view port);

}  // namespace jackal::launch
