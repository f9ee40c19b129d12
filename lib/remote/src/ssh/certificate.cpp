#include "certificate.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace jackal::remote {
namespace {

std::string decode_base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) continue;  // padding
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
  }
  return bytes;
}

/// As it travels: the kind as a string with its length, then the numbers that are the key.
std::string public_blob(ssh_key key) {
  char* text = nullptr;
  if (ssh_pki_export_pubkey_base64(key, &text) != SSH_OK) return "";
  const std::string blob = decode_base64(text);
  ssh_string_free_char(text);
  return blob;
}

std::string_view without_kind(std::string_view blob) {
  if (blob.size() < 4) return {};
  std::size_t length = 0;
  for (const char c : blob.substr(0, 4)) length = length << 8 | static_cast<unsigned char>(c);
  return blob.substr(std::min(blob.size(), 4 + length));
}

}  // namespace

// A certificate holds the numbers of the key that it is for, in full, behind a random prefix.
bool is_certificate_for(ssh_key certificate, ssh_key key) {
  const std::string blob = public_blob(key);
  const std::string_view numbers = without_kind(blob);
  return !numbers.empty() && public_blob(certificate).find(numbers) != std::string::npos;
}

}  // namespace jackal::remote
