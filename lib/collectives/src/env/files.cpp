#include "env/files.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "jackal/base/file.hpp"

namespace jackal::collectives {
namespace {

using Json = nlohmann::json;

// Deeper than any of these files is, shallow enough for every recursive walk.
constexpr int kMaxDepth = 16;
// As many ranks as a group may have (control/messages.hpp).
constexpr std::size_t kMaxEntries = 4096;
// Addresses of a host, and cables between two: more than any machine has ports.
constexpr std::size_t kMostCables = 16;

Read<Json> parse(std::string_view text) {
  bool too_deep = false;
  const auto shallow = [&too_deep](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return depth <= kMaxDepth;
  };
  Json json = Json::parse(text.begin(), text.end(), shallow, false);
  if (too_deep) return {{}, "is nested deeper than " + std::to_string(kMaxDepth) + " levels"};
  if (json.is_discarded()) return {{}, "is not valid JSON"};
  return {std::move(json), ""};
}

std::string entry(std::size_t index) { return "entry " + std::to_string(index); }

Read<std::string> optional_text(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return {"", ""};
  if (!found->is_string()) return {{}, "has a \"" + std::string(key) + "\" that is not a string"};
  return {found->get<std::string>(), ""};
}

// Nothing that has to be looked up, so that all ranks mean the same by it.
bool is_numeric(const std::string& address) {
  in_addr v4{};
  in6_addr v6{};
  if (::inet_pton(AF_INET, address.c_str(), &v4) == 1) return true;
  const std::size_t scope = address.find('%');
  if (address.find('\0') != std::string::npos || (scope != std::string::npos && scope + 1 == address.size()))
    return false;
  return ::inet_pton(AF_INET6, address.substr(0, scope).c_str(), &v6) == 1;
}

Read<std::vector<std::string>> parse_ips(const Json& host) {
  std::vector<std::string> ips;
  const auto found = host.find("ips");
  if (found == host.end()) return {std::move(ips), ""};
  if (!found->is_array() || found->size() > kMostCables)
    return {{}, "has \"ips\" that are not a list of at most " + std::to_string(kMostCables)};
  for (const Json& one : *found) {
    if (!one.is_string()) return {{}, "has \"ips\" that are not all strings"};
    if (const auto address = one.get<std::string>(); is_numeric(address)) ips.push_back(address);
  }
  return {std::move(ips), ""};
}

Read<Link> parse_link(const Json& link) {
  if (!link.is_object()) return {{}, "is not an object"};
  Link made;
  for (const auto& [key, into] : {std::pair{"ip", &made.ip}, std::pair{"peer_ip", &made.peer_ip},
                                  std::pair{"interface", &made.interface}}) {
    const Read<std::string> text = optional_text(link, key);
    if (!text.value) return {{}, text.problem};
    *into = *text.value;
  }
  for (const std::string& address : {made.ip, made.peer_ip})
    if (!address.empty() && !is_numeric(address))
      return {{}, "has \"" + address + "\" where a numeric address belongs"};
  return {std::move(made), ""};
}

// links[j] of one host: null, or a list of cables.
Read<std::vector<std::vector<Link>>> parse_links(const Json& host, std::size_t ranks) {
  std::vector<std::vector<Link>> links(ranks);
  const auto found = host.find("links");
  if (found == host.end() || (found->is_array() && found->empty())) return {std::move(links), ""};
  if (!found->is_array() || found->size() != ranks)
    return {
        {},
        "has \"links\" that are not a list with one entry for each of " + std::to_string(ranks) + " hosts"};
  for (std::size_t other = 0; other < ranks; ++other) {
    const Json& cables = (*found)[other];
    if (cables.is_null()) continue;
    if (!cables.is_array() || cables.size() > kMostCables)
      return {{},
              "has \"links\" to " + entry(other) + " that are neither null nor a list of at most " +
                  std::to_string(kMostCables)};
    for (const Json& cable : cables) {
      const Read<Link> link = parse_link(cable);
      if (!link.value) return {{}, "has a link to " + entry(other) + " that " + link.problem};
      links[other].push_back(*link.value);
    }
  }
  return {std::move(links), ""};
}

// Cable k from i to j is cable k from j to i, so that there are as many.
std::string unequal_links(const std::vector<std::vector<std::vector<Link>>>& links) {
  for (std::size_t i = 0; i < links.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (links[i][j].size() != links[j][i].size())
        return entry(i) + " of its hosts has " + std::to_string(links[i][j].size()) + " links to " +
               entry(j) + ", which has " + std::to_string(links[j][i].size()) + " back";
  return "";
}

}  // namespace

Read<HostTable> parse_host_table(std::string_view text) {
  const Read<Json> json = parse(text);
  if (!json.value) return {{}, json.problem};
  if (!json.value->is_object()) return {{}, "is not an object with a list of \"hosts\""};
  const auto hosts = json.value->find("hosts");
  if (hosts == json.value->end() || !hosts->is_array()) return {{}, "has no list of \"hosts\""};
  if (hosts->empty() || hosts->size() > kMaxEntries)
    return {{},
            "has " + std::to_string(hosts->size()) + " hosts, expected 1 to " + std::to_string(kMaxEntries)};
  const Read<std::string> backend = optional_text(*json.value, "backend");
  if (!backend.value) return {{}, backend.problem};
  HostTable table;
  table.backend = *backend.value;
  bool linked = false;
  for (const Json& host : *hosts) {
    const std::string which = entry(table.names.size()) + " of its hosts ";
    if (!host.is_object()) return {{}, which + "is not an object"};
    const Read<std::string> name = optional_text(host, "ssh");
    if (!name.value) return {{}, which + name.problem};
    table.names.push_back(*name.value);
    Read<std::vector<std::string>> ips = parse_ips(host);
    if (!ips.value) return {{}, which + ips.problem};
    table.ips.push_back(std::move(*ips.value));
    // A matrix of nothing is not made for those that have none.
    if (!linked && (!host.contains("links") || host["links"].empty())) continue;
    if (!linked) table.links.assign(table.names.size() - 1, std::vector<std::vector<Link>>(hosts->size()));
    linked = true;
    Read<std::vector<std::vector<Link>>> links = parse_links(host, hosts->size());
    if (!links.value) return {{}, which + links.problem};
    table.links.push_back(std::move(*links.value));
  }
  if (const std::string problem = unequal_links(table.links); !problem.empty()) return {{}, problem};
  return {std::move(table), ""};
}

Read<std::vector<std::string>> parse_ring(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return {{{""}}, ""};
  const Read<Json> json = parse(text);
  if (!json.value) return {{}, json.problem};
  if (!json.value->is_array() || json.value->empty() || json.value->size() > kMaxEntries)
    return {{}, "is not a list with one list of addresses for each rank"};
  std::vector<std::string> first;
  for (const Json& addresses : *json.value) {
    const auto text_only = [](const Json& one) { return one.is_string(); };
    if (!addresses.is_array() || addresses.empty() ||
        !std::all_of(addresses.begin(), addresses.end(), text_only))
      return {{}, entry(first.size()) + " is not a list of \"address:port\""};
    first.push_back(addresses.front().get<std::string>());
  }
  return {std::move(first), ""};
}

Read<int> parse_device_matrix(std::string_view text) {
  const Read<Json> json = parse(text);
  if (!json.value) return {{}, json.problem};
  if (!json.value->is_array() || json.value->empty() || json.value->size() > kMaxEntries)
    return {{}, "is not a square matrix of devices"};
  const std::size_t size = json.value->size();
  for (const Json& row : *json.value)
    if (!row.is_array() || row.size() != size) return {{}, "is not a square matrix of devices"};
  return {static_cast<int>(size), ""};
}

Read<std::string> read_text(const std::string& path, std::size_t limit_bytes) {
  auto bytes = read_file(path, limit_bytes);
  if (!bytes) return {{}, bytes.error().text()};
  return {std::move(*bytes), ""};
}

}  // namespace jackal::collectives
