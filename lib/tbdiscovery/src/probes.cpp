#include "jackal/tbdiscovery/probes.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "jackal/base/file.hpp"
#include "lines.hpp"

namespace jackal::tbdiscovery {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
constexpr const char* kStatus = "status.json";

void read_status(const json& status, ProbeOutput& output) {
  if (!status.is_object()) return;
  if (const auto argv = status.find("argv"); argv != status.end() && argv->is_array()) {
    for (const auto& word : *argv) {
      if (word.is_string()) output.argv.push_back(word.get<std::string>());
    }
  }
  if (const auto code = status.find("exit"); code != status.end() && code->is_number_integer()) {
    const auto value = code->get<std::int64_t>();
    if (value >= 0 && value <= 255) output.exit = static_cast<int>(value);
  }
  if (const auto text = status.find("stderr"); text != status.end() && text->is_string()) {
    output.standard_error = text->get<std::string>();
  }
  if (const auto time = status.find("milliseconds"); time != status.end() && time->is_number_integer()) {
    output.milliseconds = time->get<std::int64_t>();
  }
}

Result<NodeProbes> read_node(const fs::path& directory, const std::string& node) {
  NodeProbes probes;
  probes.node = node;
  json status;
  std::error_code ignored;
  if (fs::exists(directory / kStatus, ignored)) {
    auto bytes = read_file(directory / kStatus, kProbeFileLimit);
    if (!bytes) return fail(bytes.error());
    status = json::parse(valid_utf8(*bytes), nullptr, false);
    if (!status.is_object()) {
      return fail({ErrorCode::bad_input, (directory / kStatus).string(), "is not a JSON object", ""});
    }
  }
  for (const auto name : probe_file_names()) {
    const auto path = directory / name;
    if (!fs::exists(path, ignored)) continue;
    auto bytes = read_file(path, kProbeFileLimit);
    if (!bytes) return fail(bytes.error());
    ProbeOutput output;
    output.bytes = std::move(*bytes);
    if (const auto found = status.find(std::string(name)); status.is_object() && found != status.end()) {
      read_status(*found, output);
    }
    probes.files.emplace(name, std::move(output));
  }
  return probes;
}

/// A node's name becomes a directory name, so it must not lead anywhere else, and stands in what people
/// paste, so it must be one line.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         std::none_of(name.begin(), name.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; });
}

Result<std::vector<std::string>> nodes_in(const fs::path& directory) {
  std::error_code error;
  std::vector<std::string> nodes;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_directory(ignored)) nodes.push_back(it->path().filename().string());
  }
  if (error) {
    return fail(
        {ErrorCode::not_found, directory.string(), "cannot list saved probes: " + error.message(), ""});
  }
  std::sort(nodes.begin(), nodes.end());
  return nodes;
}

std::string status_text(const NodeProbes& probes) {
  json status = json::object();
  for (const auto& [file, output] : probes.files) {
    json entry = {
        {"argv", output.argv}, {"stderr", output.standard_error}, {"milliseconds", output.milliseconds}};
    entry["exit"] = output.exit ? json(*output.exit) : json();
    status[file] = std::move(entry);
  }
  return status.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace

const std::vector<std::string_view>& probe_file_names() {
  static const std::vector<std::string_view> names = {"os.txt",
                                                      "system_profiler.json",
                                                      "system_profiler.txt",
                                                      "hardware_ports.txt",
                                                      "service_order.txt",
                                                      "ibv_devices.txt",
                                                      "ibv_devinfo.txt",
                                                      "rdma_ctl.txt",
                                                      "ifconfig.txt",
                                                      "ip_addr.json",
                                                      "routes.txt",
                                                      "ip_route.json",
                                                      "thunderbolt.txt",
                                                      "infiniband.txt",
                                                      "sysctl.txt",
                                                      "sw_vers.txt",
                                                      "pmset.txt",
                                                      "sudo.txt",
                                                      "lan_ip.txt"};
  return names;
}

Result<RawProbes> read_probes(const fs::path& directory, const std::vector<std::string>& nodes) {
  std::vector<std::string> wanted = nodes;
  if (wanted.empty()) {
    auto found = nodes_in(directory);
    if (!found) return fail(found.error());
    wanted = std::move(*found);
    if (wanted.empty()) {
      return fail({ErrorCode::bad_input, directory.string(), "holds no directory of a node",
                   "Saved probes are DIRECTORY/NODE/system_profiler.json and the files beside it."});
    }
  }
  RawProbes probes;
  for (const auto& node : wanted) {
    std::error_code ignored;
    if (!is_plain_name(node)) {
      return fail({ErrorCode::bad_input, directory.string(),
                   "holds a directory whose name cannot be a node's: \"" + printable(node) + "\"",
                   "Rename it, or name the nodes with --hosts."});
    }
    if (!fs::is_directory(directory / node, ignored)) {
      return fail(
          {ErrorCode::bad_input, directory.string(), "holds no probes of the node \"" + node + "\"", ""});
    }
    auto read = read_node(directory / node, node);
    if (!read) return fail(read.error());
    probes.push_back(std::move(*read));
  }
  return probes;
}

Result<void> write_probes(const fs::path& directory, const RawProbes& probes) {
  for (const auto& node : probes) {
    if (!is_plain_name(node.node)) {
      return fail({ErrorCode::usage, node.node, "cannot be the name of a directory of saved probes", ""});
    }
    std::error_code error;
    fs::create_directories(directory / node.node, error);
    if (error) {
      return fail({ErrorCode::io, (directory / node.node).string(), "cannot create: " + error.message(), ""});
    }
    // What an earlier run left would be taken for what a command that gave nothing now has printed.
    for (const auto file : probe_file_names()) {
      if (node.files.count(std::string(file)) == 0) fs::remove(directory / node.node / file, error);
    }
    for (const auto& [file, output] : node.files) {
      if (auto written = write_file(directory / node.node / file, output.bytes); !written) return written;
    }
    if (auto written = write_file(directory / node.node / kStatus, status_text(node)); !written)
      return written;
  }
  return {};
}

}  // namespace jackal::tbdiscovery
