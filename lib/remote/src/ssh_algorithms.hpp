// OpenSSH's lists of algorithms, whose leading + - ^ not every libssh knows. Pure.
#pragma once

#include <string>
#include <string_view>

namespace jackal::remote {

// What libssh 0.10 offers by itself, in its order; what a libssh does not have it passes over.
inline constexpr std::string_view kUsualKeyExchanges =
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"
    "ecdh-sha2-nistp521,diffie-hellman-group18-sha512,diffie-hellman-group16-sha512,"
    "diffie-hellman-group-exchange-sha256,diffie-hellman-group14-sha256";
inline constexpr std::string_view kUsualKeyTypes =
    "ssh-ed25519,ecdsa-sha2-nistp521,ecdsa-sha2-nistp384,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256";
inline constexpr std::string_view kUsualCiphers =
    "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,"
    "aes128-ctr";
inline constexpr std::string_view kUsualMacs =
    "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512";

/// The list that `wanted` stands for: itself, or with + - ^ the usual one with entries added at its end,
/// taken away (they may be patterns) or put first.
std::string algorithm_list(std::string_view wanted, std::string_view usual);

/// `first`, then what of `list` is not in it.
std::string algorithms_first(std::string_view first, std::string_view list);

}  // namespace jackal::remote
