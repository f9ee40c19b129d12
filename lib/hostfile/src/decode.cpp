#include "decode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jackal/hostfile/address.hpp"
#include "nearest.hpp"

namespace jackal::hostfile {
namespace {

bool is_printable(char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7F; }

bool is_name_byte(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/// Reads top down; every step returns whether it succeeded, and the first that did not has left its error.
class Decoder {
public:
  explicit Decoder(const Document& document) : document_(document) {}

  Result<Decoded> run() {
    if (!file()) return fail(std::move(error_));
    return std::move(decoded_);
  }

private:
  bool file();
  bool backend(Index at);
  bool envs(Index at);
  bool env(Index at);
  bool hosts(Index at);
  bool host(Index at);
  bool ssh(Index at, std::string& ssh);
  bool ips(Index at, Host& host);
  bool rdma(Index at, Host& host);
  bool links(Index at, Host& host);
  bool link(Index at, std::vector<Link>& cables);
  bool link_field(Index at, std::string& field, bool address);
  bool device(Index at, std::vector<std::string>& devices);

  bool refuse(Index at, std::string_view expected, std::string hint = "") {
    return refuse_as(at, document_.describe(at), expected, std::move(hint));
  }
  bool refuse_as(Index at, std::string_view found, std::string_view expected, std::string hint = "") {
    error_ = document_.error(at, found, expected, std::move(hint));
    return false;
  }
  bool is(Index at, Kind kind) const { return document_.kind(at) == kind; }
  std::string text(Index at) const { return std::string(document_.string(at)); }
  /// A non-empty string without spaces and control characters.
  bool is_word(Index at) const {
    const std::string_view word = is(at, Kind::string) ? document_.string(at) : "";
    return !word.empty() && std::all_of(word.begin(), word.end(), is_printable);
  }
  void keep(Extras& extras, Index key, Index value) {
    extras.emplace_back(text(key), document_.compact(value));
  }
  std::string mistyped(Index object, std::string_view wanted) const;

  const Document& document_;
  Decoded decoded_;
  Error error_;
};

/// "did you mean …" when a key of the object looks like the missing one.
std::string Decoder::mistyped(Index object, std::string_view wanted) const {
  std::string hint;
  document_.each_member(object, [&](Index key, Index) {
    if (!nearest(document_.string(key), std::span(&wanted, 1))) return true;
    hint = fmt::format("did you mean \"{}\" by {}?", wanted, in_quotes(document_.string(key)));
    return false;
  });
  return hint;
}

bool Decoder::file() {
  constexpr std::string_view kShape = "a list of hosts or an object with \"hosts\"";
  if (is(0, Kind::array)) return hosts(0);
  if (!is(0, Kind::object)) return refuse(0, kShape, "man jackal-hostfile shows the format");
  const std::optional<Index> list = document_.member(0, "hosts");
  if (!list) return refuse_as(0, "an object without \"hosts\"", kShape, mistyped(0, "hosts"));
  return document_.each_member(0, [&](Index key, Index value) {
    const std::string_view name = document_.string(key);
    if (name == "backend") return backend(value);
    if (name == "envs") return envs(value);
    if (name == "hosts") return hosts(value);
    keep(decoded_.hostfile.extras, key, value);
    return true;
  });
}

bool Decoder::backend(Index at) {
  const std::string expected = fmt::format("one of {}", backend_names());
  if (!is(at, Kind::string)) return refuse(at, expected);
  const std::string_view name = document_.string(at);
  if (name.empty()) return true;  // mlx.distributed_config writes it for "not chosen"
  decoded_.hostfile.backend = backend_from(name);
  return decoded_.hostfile.backend || refuse(at, expected, backend_suggestion(name));
}

bool Decoder::envs(Index at) {
  if (!is(at, Kind::array)) return refuse(at, "a list of \"NAME=VALUE\"");
  return document_.each_entry(at, [&](Index entry) { return env(entry); });
}

bool Decoder::env(Index at) {
  constexpr std::string_view kForm = "\"NAME=VALUE\", a name of letters, digits and _";
  if (!is(at, Kind::string)) return refuse(at, kForm);
  const std::string_view setting = document_.string(at);
  const std::size_t equals = setting.find('=');
  if (equals == std::string_view::npos) {
    return refuse(at, kForm, fmt::format("to set it to nothing, write {}", in_quotes(text(at) + "=")));
  }
  const std::string_view name = setting.substr(0, equals);
  const bool good = !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
                    std::all_of(name.begin(), name.end(), is_name_byte);
  if (!good) return refuse(at, kForm);
  if (setting.find('\0') != std::string_view::npos) {
    return refuse(at, "a value without a NUL byte, which no environment can hold");
  }
  decoded_.hostfile.envs.emplace_back(setting);
  return true;
}

bool Decoder::hosts(Index at) {
  if (!is(at, Kind::array)) return refuse(at, "a list of hosts");
  if (document_.count(at) == 0) return refuse(at, "at least one host");
  return document_.each_entry(at, [&](Index entry) { return host(entry); });
}

bool Decoder::host(Index at) {
  if (!is(at, Kind::object)) {
    const bool name = is_word(at);
    return refuse(at, "an object with \"ssh\"",
                  name ? fmt::format("write {{\"ssh\": {}}}", in_quotes(document_.string(at))) : "");
  }
  Host host;
  HostPlace place;
  place.host = at;
  const bool read = document_.each_member(at, [&](Index key, Index value) {
    const std::string_view name = document_.string(key);
    if (name == "ssh") return ssh(place.ssh = value, host.ssh);
    if (name == "ips") return ips(value, host);
    if (name == "rdma") return rdma(place.rdma = value, host);
    if (name == "links") return links(place.links = value, host);
    keep(host.extras, key, value);
    return true;
  });
  if (!read) return false;
  if (place.ssh == 0) {
    return refuse_as(at, "a host without \"ssh\"", "one that says what to connect to", mistyped(at, "ssh"));
  }
  decoded_.hostfile.hosts.push_back(std::move(host));
  decoded_.places.push_back(place);
  return true;
}

bool Decoder::ssh(Index at, std::string& ssh) {
  constexpr std::string_view kForm = "a host name, user@host or an IP address";
  if (!is_word(at)) return refuse(at, kForm);
  ssh = text(at);
  // ssh programs would take it for an option.
  return ssh[0] != '-' || refuse(at, std::string(kForm) + " that does not begin with '-'");
}

bool Decoder::ips(Index at, Host& host) {
  if (!is(at, Kind::array)) return refuse(at, "a list of IP addresses");
  return document_.each_entry(at, [&](Index entry) {
    if (!is(entry, Kind::string) || !is_ip_address(document_.string(entry))) {
      return refuse(entry, "an IP address such as \"10.0.0.1\" or \"fe80::1%en0\"",
                    "host names belong in \"ssh\"; ports and prefix lengths nowhere");
    }
    host.ips.push_back(text(entry));
    return true;
  });
}

bool Decoder::device(Index at, std::vector<std::string>& devices) {
  if (!is_word(at)) return refuse(at, "the name of an RDMA device, such as \"rdma_en5\"");
  devices.push_back(text(at));
  return true;
}

bool Decoder::rdma(Index at, Host& host) {
  if (!is(at, Kind::array)) return refuse(at, "a list with one entry a host");
  return document_.each_entry(at, [&](Index entry) {
    std::vector<std::string>& devices = host.rdma.emplace_back();
    if (is(entry, Kind::null)) return true;
    if (is(entry, Kind::array)) {
      return document_.each_entry(entry, [&](Index name) { return device(name, devices); });
    }
    if (is(entry, Kind::string)) return device(entry, devices);
    return refuse(entry, "null, a device or a list of devices");
  });
}

bool Decoder::links(Index at, Host& host) {
  if (!is(at, Kind::array)) return refuse(at, "a list with one entry a host");
  return document_.each_entry(at, [&](Index entry) {
    std::vector<Link>& cables = host.links.emplace_back();
    if (is(entry, Kind::null)) return true;
    if (!is(entry, Kind::array)) return refuse(entry, "null or a list of links");
    return document_.each_entry(entry, [&](Index cable) { return link(cable, cables); });
  });
}

bool Decoder::link(Index at, std::vector<Link>& cables) {
  if (!is(at, Kind::object)) return refuse(at, "an object, one a cable");
  Link& link = cables.emplace_back();
  return document_.each_member(at, [&](Index key, Index value) {
    const std::string_view name = document_.string(key);
    if (name == "ip") return link_field(value, link.ip, true);
    if (name == "peer_ip") return link_field(value, link.peer_ip, true);
    if (name == "interface") return link_field(value, link.interface, false);
    if (name == "rdma") return link_field(value, link.rdma, false);
    if (name == "receptacle") return link_field(value, link.receptacle, false);
    if (name == "domain_uuid") return link_field(value, link.domain_uuid, false);
    keep(link.extras, key, value);
    return true;
  });
}

bool Decoder::link_field(Index at, std::string& field, bool address) {
  const bool good = address ? is(at, Kind::string) && is_ip_address(document_.string(at)) : is_word(at);
  if (!good) {
    return refuse(at, address ? "an IP address" : "a string without spaces",
                  "what is not known of a link is left out");
  }
  field = document_.string(at);
  return true;
}

}  // namespace

Result<Decoded> decode(const Document& document) { return Decoder(document).run(); }

}  // namespace jackal::hostfile
