// ifconfig, both what it prints and what it sets.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "jackal/base/text.hpp"
#include "simmac/commands.hpp"
#include "simmac/node_state.hpp"

namespace jackal::simmac {
namespace {

using tbdiscovery::parse_ipv4;

int complain(const std::string& text) {
  std::fprintf(stderr, "ifconfig: %s\n", text.c_str());
  return 1;
}

/// The stanza of `name` out of `ifconfig -a`.
std::string stanza(const std::string& all, const std::string& name) {
  std::size_t begin = all.compare(0, name.size() + 1, name + ":") == 0 ? 0 : all.find("\n" + name + ": ");
  if (begin == std::string::npos) return "";
  if (begin != 0) ++begin;
  std::size_t end = begin;
  do {
    end = all.find('\n', end);
    if (end == std::string::npos) return all.substr(begin);
    ++end;
  } while (end < all.size() && all[end] == '\t');
  return all.substr(begin, end - begin);
}

/// "255.255.255.252" or "0xfffffffc".
std::optional<int> prefix_of(const std::string& mask) {
  if (mask.compare(0, 2, "0x") == 0) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(mask.data() + 2, mask.data() + mask.size(), value, 16);
    if (error != std::errc{} || end != mask.data() + mask.size()) return std::nullopt;
    return tbdiscovery::prefix_of_mask(value);
  }
  const auto address = parse_ipv4(mask);
  return address ? tbdiscovery::prefix_of_mask(address->value) : std::nullopt;
}

int natural_prefix(const std::string& ip) {
  const auto value = parse_ipv4(ip)->value;
  return value < 0x80000000U ? 8 : value < 0xC0000000U ? 16 : 24;
}

/// What the words of one call come to, as lines for `ip`.
class Change {
public:
  Change(std::string name, const NodeState& state) : name_(std::move(name)), state_(state) {}

  /// An error message, or "".
  std::string take(const Words& words) {
    for (next_ = 0; next_ < words.size(); ++next_) {
      if (auto wrong = take_one(words); !wrong.empty()) return wrong;
    }
    return finish_address();
  }

  const std::vector<std::string>& lines() const { return lines_; }

private:
  bool exists() const { return state_.interfaces.count(name_) != 0; }
  const Interface& interface() const { return state_.interfaces.at(name_); }
  void add(std::string line) { lines_.push_back(std::move(line)); }

  std::string take_one(const Words& words) {
    const std::string& word = words[next_];
    const auto argument = [&]() -> const std::string* {
      return next_ + 1 < words.size() ? &words[++next_] : nullptr;
    };
    if (word == "create") {
      if (exists()) return "SIOCIFCREATE2: File exists";
      add(fmt::format("link add name {} type bridge stp_state 1 forward_delay 200", name_));
      add(fmt::format("link set dev {} up", name_));
    } else if (word == "destroy") {
      if (!exists() || name_.compare(0, 6, "bridge") != 0) return "SIOCIFDESTROY: Invalid argument";
      add(fmt::format("link del dev {}", name_));
    } else if (word == "up" || word == "down") {
      add(fmt::format("link set dev {} {}", name_, word));
    } else if (word == "addm" || word == "deletem") {
      const auto* member = argument();
      if (member == nullptr) return fmt::format("'{}' requires argument", word);
      return member_change(word == "addm", *member);
    } else if (word == "mtu") {
      const auto* mtu = argument();
      if (mtu == nullptr || !parse_integer<int>(*mtu)) return "'mtu' requires argument";
      add(fmt::format("link set dev {} mtu {}", name_, *mtu));
    } else if (word == "netmask") {
      const auto* mask = argument();
      if (mask == nullptr || !(prefix_ = prefix_of(*mask))) return "bad value";
    } else if (word == "broadcast") {
      argument();
    } else if (word == "alias" || word == "add") {
      alias_ = true;
    } else if (word == "delete" || word == "-alias" || word == "remove") {
      delete_ = true;
    } else if (word != "inet") {
      return take_address(word);
    }
    return "";
  }

  std::string take_address(const std::string& word) {
    const auto slash = word.find('/');
    const auto ip = word.substr(0, slash);
    if (!parse_ipv4(ip)) return fmt::format("{}: bad value", word);
    address_ = ip;
    if (slash != std::string::npos) prefix_ = parse_integer<int>(word.substr(slash + 1));
    return "";
  }

  std::string member_change(bool add_it, const std::string& member) {
    const auto found = state_.interfaces.find(member);
    if (found == state_.interfaces.end())
      return fmt::format("BRDG{} {}: No such file or directory", add_it ? "ADD" : "DEL", member);
    const auto& master = found->second.master;
    if (add_it && !master.empty())
      return fmt::format("BRDGADD {}: {}", member, master == name_ ? "File exists" : "Device busy");
    if (!add_it && master != name_) return fmt::format("BRDGDEL {}: No such file or directory", member);
    add(add_it ? fmt::format("link set dev {} master {}", member, name_)
               : fmt::format("link set dev {} nomaster", member));
    return "";
  }

  std::string finish_address() {
    if (!address_) return delete_ ? delete_first() : "";
    const auto& own = interface().addresses;
    const auto known =
        std::find_if(own.begin(), own.end(), [&](const Address& one) { return one.ip == *address_; });
    if (delete_) {
      if (known == own.end()) return "ioctl (SIOCDIFADDR): Can't assign requested address";
      add(fmt::format("addr del {}/{} dev {}", known->ip, known->prefix, name_));
      return "";
    }
    // Without "alias" the first address makes room; the same one again only changes its mask.
    const auto* old = known != own.end() ? &*known : alias_ || own.empty() ? nullptr : &own.front();
    if (old != nullptr) add(fmt::format("addr del {}/{} dev {}", old->ip, old->prefix, name_));
    add(fmt::format("addr add {}/{} broadcast + dev {}", *address_,
                    prefix_.value_or(natural_prefix(*address_)), name_));
    // On macOS an address brings its interface up.
    if (!interface().up) add(fmt::format("link set dev {} up", name_));
    return "";
  }

  std::string delete_first() {
    if (interface().addresses.empty()) return "ioctl (SIOCDIFADDR): Can't assign requested address";
    const auto& first = interface().addresses.front();
    add(fmt::format("addr del {}/{} dev {}", first.ip, first.prefix, name_));
    return "";
  }

  std::string name_;
  const NodeState& state_;
  std::vector<std::string> lines_;
  std::size_t next_ = 0;
  std::optional<std::string> address_;
  std::optional<int> prefix_;
  bool alias_ = false;
  bool delete_ = false;
};

}  // namespace

int ifconfig(const Mac& mac, const Words& words) {
  const auto state = read_node_state();
  const auto all = [&] { return ifconfig(as_it_is(mac.description.cluster, mac.self, state), mac.self); };
  const bool lists = words.empty() || words.front() == "-a";
  if (lists) {
    std::fputs(all().c_str(), stdout);
    return 0;
  }
  const std::string& name = words.front();
  const bool creates = words.size() > 1 && words[1] == "create";
  if (!creates && state.interfaces.count(name) == 0) {
    return complain(fmt::format("interface {} does not exist", name));
  }
  if (words.size() == 1 || words == Words{name, "inet"}) {
    std::fputs(stanza(all(), name).c_str(), stdout);
    return 0;
  }
  Change change(name, state);
  if (const auto wrong = change.take({words.begin() + 1, words.end()}); !wrong.empty())
    return complain(wrong);
  if (::geteuid() != 0) return complain("ioctl (SIOCAIFADDR): Operation not permitted");
  return run_ip(change.lines());
}

}  // namespace jackal::simmac
