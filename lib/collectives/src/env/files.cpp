#include "env/files.hpp"

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
  HostTable table{{}, *backend.value};
  for (const Json& host : *hosts) {
    if (!host.is_object()) return {{}, entry(table.names.size()) + " of its hosts is not an object"};
    const Read<std::string> name = optional_text(host, "ssh");
    if (!name.value) return {{}, entry(table.names.size()) + " of its hosts " + name.problem};
    table.names.push_back(*name.value);
  }
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
