#include "jackal/base/random.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace jackal {

std::string random_bytes(std::size_t count) {
  constexpr std::size_t kMostPerCall = 256;  // getentropy(2)
  std::string bytes(count, '\0');
  for (std::size_t done = 0; done < count; done += kMostPerCall) {
    if (::getentropy(bytes.data() + done, std::min(kMostPerCall, count - done)) != 0) {
      throw std::system_error(errno, std::generic_category(), "getentropy");
    }
  }
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

}  // namespace jackal
