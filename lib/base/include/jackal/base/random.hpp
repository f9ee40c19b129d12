// Bytes that nobody can guess, from the operating system.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace jackal {

std::string random_bytes(std::size_t count);

/// Two lower-case digits a byte.
std::string to_hex(std::string_view bytes);

}  // namespace jackal
