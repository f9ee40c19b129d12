// ibv_devices, ibv_devinfo -v and rdma_ctl status. ibv_devinfo is read word by word: its layout differs
// between versions and pastes, its labels do not.
#include <algorithm>

#include "jackal/base/text.hpp"
#include "lines.hpp"
#include "parsers.hpp"

namespace jackal::tbdiscovery {
namespace {

bool is_guid(std::string_view word) {
  return word.size() >= 4 && word.find_first_not_of("0123456789abcdefABCDEFX:") == std::string_view::npos;
}

PortState state_of(std::string_view word) {
  if (word == "PORT_ACTIVE") return PortState::active;
  if (word == "PORT_DOWN") return PortState::down;
  return PortState::other;
}

RdmaDevice* device_named(std::vector<RdmaDevice>& devices, std::string_view name) {
  const auto found =
      std::find_if(devices.begin(), devices.end(), [&](const auto& device) { return device.name == name; });
  return found == devices.end() ? nullptr : &*found;
}

/// Reads "GID[  1]:  ::ffff:10.0.0.1" or "GID[0] = fe80::1" at words[at]; the index behind what it took.
std::size_t read_gid(const std::vector<std::string_view>& words, std::size_t at, RdmaDevice& device) {
  std::string number(words[at].substr(4));
  std::size_t next = at + 1;
  if (number.empty() && next < words.size()) number = words[next++];
  const auto close = number.find(']');
  if (close == std::string::npos) return at + 1;
  const auto index = parse_integer<int>(number.substr(0, close));
  if (next < words.size() && (words[next] == "=" || words[next] == ":")) ++next;
  if (!index || next >= words.size()) return at + 1;
  device.gids_known = true;
  std::string text(words[next]);
  if (!text.empty() && text.back() == ',') text.pop_back();  // newer tools append ", RoCE v2"
  device.gids.push_back({*index, std::move(text)});
  return next + 1;
}

}  // namespace

std::vector<RdmaDevice> parse_ibv_devices(std::string_view bytes, Findings& findings) {
  std::vector<RdmaDevice> devices;
  bool header = false;
  for (const auto line : lines_of(bytes)) {
    const auto words = words_of(line);
    if (words.empty()) continue;
    if (words[0] == "device" || words[0].find_first_not_of('-') == std::string_view::npos) {
      header = true;
      continue;
    }
    if (!header || words.size() != 2 || !is_guid(words[1])) continue;
    devices.push_back({std::string(words[0]), std::string(words[1]), "", PortState::unknown, false, {}});
  }
  if (!header && lower(bytes).find("no ib devices") == std::string::npos) {
    findings.push_back({"ibv_devices.txt", "has no table of devices"});
  }
  return devices;
}

std::vector<RdmaDevice> parse_ibv_devinfo(std::string_view bytes, Findings& findings) {
  std::vector<RdmaDevice> devices;
  const auto words = words_of(bytes);
  for (std::size_t i = 0; i < words.size();) {
    const auto word = words[i];
    const bool has_next = i + 1 < words.size();
    if (word == "hca_id:" && has_next) {
      devices.push_back({std::string(words[i + 1]), "", "", PortState::unknown, false, {}});
      i += 2;
    } else if (word.substr(0, 5) == "rdma_" && word.back() == ':') {
      devices.push_back(
          {std::string(word.substr(0, word.size() - 1)), "", "", PortState::unknown, false, {}});
      ++i;
    } else if (devices.empty()) {
      ++i;
    } else if (word == "node_guid:" && has_next) {
      devices.back().guid = std::string(words[i + 1]);
      i += 2;
    } else if (word == "state:" && has_next) {
      // Of a device with several ports, the first counts.
      if (devices.back().state == PortState::unknown) devices.back().state = state_of(words[i + 1]);
      i += 2;
    } else if (word.substr(0, 4) == "GID[") {
      i = read_gid(words, i, devices.back());
    } else {
      // With -v a device of which no GID is printed has none.
      if (word == "gid_tbl_len:" || word.substr(0, 13) == "active_width:") devices.back().gids_known = true;
      ++i;
    }
  }
  if (devices.empty() && lower(bytes).find("no ib devices") == std::string::npos) {
    findings.push_back({"ibv_devinfo.txt", "describes no device"});
  }
  return devices;
}

std::optional<bool> parse_rdma_ctl(std::string_view bytes, Findings& findings) {
  const auto word = lower(trim(bytes));
  if (word == "enabled") return true;
  if (word == "disabled") return false;
  findings.push_back({"rdma_ctl.txt", "says neither \"enabled\" nor \"disabled\""});
  return std::nullopt;
}

void merge_rdma(std::vector<RdmaDevice>& devices, const std::vector<RdmaDevice>& more) {
  for (const auto& extra : more) {
    RdmaDevice* known = device_named(devices, extra.name);
    if (known == nullptr) {
      devices.push_back(extra);
      continue;
    }
    if (known->guid.empty()) known->guid = extra.guid;
    if (known->interface.empty()) known->interface = extra.interface;
    if (known->state == PortState::unknown) known->state = extra.state;
    if (!known->gids_known && extra.gids_known) {
      known->gids_known = true;
      known->gids = extra.gids;
    }
  }
}

}  // namespace jackal::tbdiscovery
