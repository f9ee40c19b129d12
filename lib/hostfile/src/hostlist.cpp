#include "jackal/hostfile/hostlist.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <unordered_set>

#include "document.hpp"
#include "jackal/base/text.hpp"
#include "jackal/hostfile/address.hpp"

namespace jackal::hostfile {
namespace {

constexpr std::size_t kMostHosts = 100'000;
constexpr std::size_t kLongestHost = 512;  // a DNS name has 253; bounds the memory together with kMostHosts
constexpr std::size_t kMostDigits = 18;    // fits a 64-bit number

Error usage(std::string_view flag, std::string what, std::string hint = "") {
  return {ErrorCode::usage, std::string(flag), std::move(what), std::move(hint)};
}

struct Numbers {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::size_t width = 0;  // padded with zeros to this

  std::uint64_t count() const { return last - first + 1; }
};

std::optional<std::uint64_t> number(std::string_view digits) {
  const bool good = digits.size() <= kMostDigits &&
                    std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  return good ? parse_integer<std::uint64_t>(digits) : std::nullopt;
}

/// "4" or "1-4" or "01-16".
Result<Numbers> numbers(std::string_view text, std::string_view item, std::string_view flag) {
  const std::size_t dash = text.find('-');
  const std::string_view low = text.substr(0, dash);
  const std::string_view high = dash == std::string_view::npos ? low : text.substr(dash + 1);
  const auto first = number(low), last = number(high);
  const auto refuse = [&](std::string_view expected) {
    return fail(
        usage(flag, fmt::format("in {}: found {}, expected {}", in_quotes(item), in_quotes(text), expected)));
  };
  if (!first || !last) return refuse("a number or a range such as 1-4 or 01-16");
  if (*first > *last) return refuse("the lower number first");
  const bool padded = (low.size() > 1 && low[0] == '0') || (high.size() > 1 && high[0] == '0');
  if (padded && low.size() != high.size()) return refuse("both ends with the same number of digits");
  return Numbers{*first, *last, low.size()};
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// Expands one item of the list; all of them share the bound.
class Expansion {
public:
  Expansion(std::string_view flag, std::vector<std::string>& hosts) : flag_(flag), hosts_(hosts) {}

  Result<void> add(std::string_view item) {
    if (auto bad = check(item)) return fail(std::move(*bad));
    std::vector<std::string> names{""};
    for (std::string_view rest = item; !rest.empty();) {
      const std::size_t open = std::min(rest.find('['), rest.size());
      for (std::string& name : names) name += rest.substr(0, open);
      rest.remove_prefix(open);
      if (rest.empty()) break;
      const std::size_t close = rest.find(']');
      const std::string_view inside = rest.substr(1, close - 1);
      rest.remove_prefix(close + 1);
      if (inside.find(':') != std::string_view::npos) {
        if (auto bad = check_address(names, inside, rest, item)) return fail(std::move(*bad));
        names[0] += inside;
      } else if (Result<void> multiplied = multiply(names, inside, item); !multiplied) {
        return multiplied;
      }
    }
    for (std::string& name : names) hosts_.push_back(std::move(name));
    return {};
  }

private:
  std::optional<Error> check(std::string_view item) const {
    if (item.empty()) {
      return usage(flag_, "found an empty host name, expected hosts separated by single commas");
    }
    const auto refuse = [&](std::string_view reason, std::string hint = "") {
      return usage(flag_, fmt::format("{}: {}", in_quotes(item), reason), std::move(hint));
    };
    if (item.size() > kLongestHost) return refuse(fmt::format("is longer than {} bytes", kLongestHost));
    if (std::any_of(item.begin(), item.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20; })) {
      return refuse("found a space or control character, expected hosts separated by single commas");
    }
    if (item[0] == '-') return refuse("a host name cannot begin with '-'");
    if (item[0] == '@' || item.back() == '@') return refuse("expected user@host");
    bool open = false;
    for (const char c : item) {
      if ((c == '[' && open) || (c == ']' && !open)) return refuse(fmt::format("found a '{}' too many", c));
      open = c == '[' || (open && c != ']');
    }
    if (open) return refuse("expected ']'", "ranges are written mac[1-4] or mac[01-16,20]");
    return std::nullopt;
  }

  std::optional<Error> check_address(const std::vector<std::string>& names, std::string_view address,
                                     std::string_view behind, std::string_view item) const {
    const bool in_front = names.size() == 1 && (names[0].empty() || names[0].back() == '@');
    if (is_ip_address(address) && in_front && behind.empty()) return std::nullopt;
    return usage(flag_, fmt::format("{}: expected an IPv6 address alone in the brackets", in_quotes(item)),
                 "a port is set in ~/.ssh/config; ranges are written mac[1-4]");
  }

  Result<void> multiply(std::vector<std::string>& names, std::string_view inside,
                        std::string_view item) const {
    std::vector<Numbers> ranges;
    std::uint64_t count = 0;
    for (const std::string_view part : split(inside, ',')) {
      Result<Numbers> range = numbers(part, item, flag_);
      if (!range) return fail(range.error());
      // Below 10^18 each, and at most kLongestHost of them only if they are short: no overflow.
      count += std::min<std::uint64_t>(range->count(), kMostHosts + 1);
      ranges.push_back(*range);
    }
    if (count * names.size() > kMostHosts - std::min(kMostHosts, hosts_.size())) {
      return fail(usage(flag_, fmt::format("{} makes more than {} hosts", in_quotes(item), kMostHosts)));
    }
    std::vector<std::string> multiplied;
    multiplied.reserve(names.size() * count);
    for (const std::string& name : names) {
      for (const Numbers& range : ranges) {
        for (std::uint64_t n = range.first; n <= range.last; ++n) {
          multiplied.push_back(fmt::format("{}{:0{}}", name, n, range.width));
        }
      }
    }
    names = std::move(multiplied);
    return {};
  }

  std::string_view flag_;
  std::vector<std::string>& hosts_;
};

/// At the commas outside brackets.
std::vector<std::string_view> items(std::string_view list) {
  std::vector<std::string_view> items;
  bool open = false;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < list.size(); ++at) {
    if (list[at] == ',' && !open) {
      items.push_back(list.substr(begin, at - begin));
      begin = at + 1;
    }
    open = list[at] == '[' || (open && list[at] != ']');
  }
  items.push_back(list.substr(begin));
  return items;
}

}  // namespace

Result<std::vector<std::string>> expand_hosts(std::string_view list, std::string_view flag) {
  std::vector<std::string> hosts;
  Expansion expansion(flag, hosts);
  for (const std::string_view item : items(list)) {
    if (Result<void> added = expansion.add(item); !added) return fail(added.error());
  }
  if (hosts.size() > kMostHosts) {
    return fail(usage(flag, fmt::format("makes more than {} hosts", kMostHosts)));
  }
  return hosts;
}

Result<std::vector<std::string>> exclude_hosts(std::vector<std::string> hosts,
                                               const std::vector<std::string>& excluded) {
  const std::unordered_set<std::string_view> unwanted(excluded.begin(), excluded.end());
  const std::unordered_set<std::string_view> present(hosts.begin(), hosts.end());
  for (const std::string& name : excluded) {
    if (!present.contains(name)) {
      return fail(usage("--exclude", fmt::format("{} is not among the hosts", in_quotes(name))));
    }
  }
  std::erase_if(hosts, [&](const std::string& host) { return unwanted.contains(host); });
  if (hosts.empty()) return fail(usage("--exclude", "leaves no host"));
  return hosts;
}

}  // namespace jackal::hostfile
