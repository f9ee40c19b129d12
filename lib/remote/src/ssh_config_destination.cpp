#include "ssh_config_destination.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "jackal/base/text.hpp"
#include "ssh_config_keywords.hpp"

namespace jackal::remote {
namespace {

constexpr std::string_view kScheme = "ssh://";

tl::unexpected<Error> refuse(std::string_view text, std::string_view why) {
  return fail({ErrorCode::usage, std::string(text), std::string(why),
               "expected host, user@host or ssh://user@host:port"});
}

bool has_control_or_space(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7f;
  });
}

bool is_safe_host(std::string_view host) {
  return host.substr(0, 1) != "-" && host.find_first_of("'`\"$\\;&<>|(){}") == std::string_view::npos &&
         !has_control_or_space(host);
}

bool is_safe_user(std::string_view user) {
  return user.substr(0, 1) != "-" && user.find_first_of("'`\";&<>|(){}") == std::string_view::npos &&
         !has_control_or_space(user) && (user.empty() || user.back() != '\\');
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || error != std::errc{} || end != digits.data() + 2 || value == 0) {
      return std::nullopt;
    }
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

/// `host`, `host:port`, `[address]` or `[address]:port`.
std::optional<Destination> parse_host_port(std::string_view text) {
  Destination destination;
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    destination.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && port.front() != ':') return std::nullopt;
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    destination.host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (destination.host.empty()) return std::nullopt;
  if (port.size() > 1) {
    destination.port = parse_port(port.substr(1));
    if (!destination.port) return std::nullopt;
  }
  return destination;
}

/// After `ssh://`: [user[;parameters]@]host[:port][/]
std::optional<Destination> parse_uri(std::string_view text) {
  if (!text.empty() && text.back() == '/') text.remove_suffix(1);
  const std::size_t at = text.rfind('@');
  auto destination = parse_host_port(at == std::string_view::npos ? text : text.substr(at + 1));
  if (!destination || destination->host.find('/') != std::string::npos) return std::nullopt;
  if (at != std::string_view::npos) {
    const std::string_view user = text.substr(0, std::min(at, text.find(';')));
    destination->user = percent_decoded(user);
    if (!destination->user || destination->user->empty()) return std::nullopt;
  }
  const auto host = percent_decoded(destination->host);
  if (!host) return std::nullopt;
  destination->host = *host;
  return destination;
}

Result<Destination> checked(std::optional<Destination> destination, std::string_view text) {
  if (!destination || destination->host.empty()) return refuse(text, "names no host");
  if (destination->user && destination->user->empty()) return refuse(text, "has an empty user name");
  if (!is_safe_host(destination->host)) return refuse(text, "the host name has characters no host has");
  if (destination->user && !is_safe_user(*destination->user)) {
    return refuse(text, "the user name has characters no user has");
  }
  return std::move(*destination);
}

bool is_uri(std::string_view text) { return text.substr(0, kScheme.size()) == kScheme; }

}  // namespace

Result<Destination> parse_destination(std::string_view text) {
  if (is_uri(text)) return checked(parse_uri(text.substr(kScheme.size())), text);
  Destination destination;
  const std::size_t at = text.rfind('@');
  if (at != std::string_view::npos) destination.user = text.substr(0, at);
  std::string_view host = at == std::string_view::npos ? text : text.substr(at + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  destination.host = host;
  return checked(std::move(destination), text);
}

Result<std::vector<Destination>> parse_jumps(std::string_view list) {
  std::vector<Destination> jumps;
  for (;;) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view text = list.substr(0, comma);
    std::optional<Destination> jump;
    if (is_uri(text)) {
      jump = parse_uri(text.substr(kScheme.size()));
    } else {
      const std::size_t at = text.rfind('@');
      jump = parse_host_port(at == std::string_view::npos ? text : text.substr(at + 1));
      if (jump && at != std::string_view::npos) jump->user = text.substr(0, at);
    }
    auto good = checked(std::move(jump), text);
    if (!good) return fail(good.error());
    jumps.push_back(std::move(*good));
    if (comma == list.size()) return jumps;
    list.remove_prefix(comma + 1);
  }
}

std::string jump_text(const Destination& jump) {
  const bool is_address = jump.host.find(':') != std::string::npos;
  return (jump.user ? *jump.user + "@" : "") + (is_address ? "[" + jump.host + "]" : jump.host) +
         (jump.port ? ":" + std::to_string(*jump.port) : "");
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_integer<std::uint16_t>(text);
  return port && *port != 0 ? port : std::nullopt;
}

}  // namespace jackal::remote
