#include "jackal/hostfile/writer.hpp"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>

#include "jackal/base/file.hpp"

namespace jackal::hostfile {
namespace {

/// Bytes that are no UTF-8 cannot stand in JSON; they become U+FFFD.
std::string quote(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

template <class Items, class Write>
std::string list(const Items& items, Write write) {
  std::string json = "[";
  for (const auto& item : items) {
    if (json.size() > 1) json += ", ";
    json += write(item);
  }
  return json + "]";
}

/// One object on one line, member by member.
class Line {
public:
  void add(const std::string& key, const std::string& json) {
    line_ += fmt::format("{}{}: {}", line_.empty() ? "" : ", ", quote(key), json);
  }
  void add_known(const std::string& key, const std::string& text) {
    if (!text.empty()) add(key, quote(text));
  }
  void add(const Extras& extras) {
    for (const auto& [key, json] : extras) add(key, json);
  }
  std::string object() const { return "{" + line_ + "}"; }

private:
  std::string line_;
};

std::string device_entry(const std::vector<std::string>& devices) {
  if (devices.empty()) return "null";
  return devices.size() == 1 ? quote(devices[0]) : list(devices, quote);
}

std::string link_object(const Link& link) {
  Line line;
  line.add_known("ip", link.ip);
  line.add_known("peer_ip", link.peer_ip);
  line.add_known("interface", link.interface);
  line.add_known("rdma", link.rdma);
  line.add_known("receptacle", link.receptacle);
  line.add_known("domain_uuid", link.domain_uuid);
  line.add(link.extras);
  return line.object();
}

std::string link_entry(const std::vector<Link>& links) {
  return links.empty() ? "null" : list(links, link_object);
}

std::string host_object(const Host& host) {
  Line line;
  line.add("ssh", quote(host.ssh));
  line.add("ips", list(host.ips, quote));
  if (!host.rdma.empty()) line.add("rdma", list(host.rdma, device_entry));
  if (!host.links.empty()) line.add("links", list(host.links, link_entry));
  line.add(host.extras);
  return line.object();
}

}  // namespace

std::string to_json(const Hostfile& hostfile) {
  std::string json = "{\n";
  if (hostfile.backend) json += fmt::format("  \"backend\": \"{}\",\n", to_string(*hostfile.backend));
  if (!hostfile.envs.empty()) json += fmt::format("  \"envs\": {},\n", list(hostfile.envs, quote));
  json += "  \"hosts\": [";
  const char* separator = "\n";
  for (const Host& host : hostfile.hosts) {
    json += separator;
    json += "    " + host_object(host);
    separator = ",\n";
  }
  json += "\n  ]";
  for (const auto& [key, value] : hostfile.extras) {
    fmt::format_to(std::back_inserter(json), ",\n  {}: {}", quote(key), value);
  }
  return json + "\n}\n";
}

Result<void> write(const std::filesystem::path& path, const Hostfile& hostfile) {
  return write_file(path, to_json(hostfile));
}

}  // namespace jackal::hostfile
