// system_profiler SPThunderboltDataType without -json. The tree is in the indentation: a line "Name:" without
// a value opens a block, and a deeper block belongs to the last shallower one.
#include <fmt/format.h>

#include "jackal/base/text.hpp"
#include "lines.hpp"
#include "parsers.hpp"

namespace jackal::tbdiscovery {
namespace {

constexpr const char* kFile = "system_profiler.txt";

struct Block {
  std::string_view title;
  std::vector<KeyValue> fields;
  std::vector<Block> blocks;

  std::string field(std::string_view key) const {
    for (const auto& entry : fields) {
      if (entry.key == key) return std::string(entry.value);
    }
    return {};
  }
};

class Reader {
public:
  explicit Reader(std::string_view text) : lines_(lines_of(text)) {}

  Block read_all() {
    Block root;
    while (next_ < lines_.size()) read_block(root, 0, 0);
    return root;
  }

private:
  /// Takes fields and inner blocks until a line of less than `least` indentation.
  void read_block(Block& block, std::size_t least, int depth) {
    for (; next_ < lines_.size(); ++next_) {
      const auto line = lines_[next_];
      if (trim(line).empty()) continue;
      if (indent_of(line) < least) return;
      const KeyValue entry = key_value(line);
      if (entry.key.empty()) continue;
      if (!opens_block(entry, line)) {
        block.fields.push_back(entry);
        continue;
      }
      ++next_;
      Block inner;
      inner.title = title_of(line);
      if (depth < 2 * kDeepestTree) {
        read_block(inner, indent_of(line) + 1, depth + 1);
        block.blocks.push_back(std::move(inner));
      }
      --next_;  // the loop steps over what read_block stopped at
    }
  }

  /// "Port:" and "Service: Unknown:" open blocks, "Receptacle:" with nothing after it is an empty field.
  bool opens_block(const KeyValue& entry, std::string_view line) const {
    const auto whole = trim(line);
    if (whole.back() != ':') return false;
    if (!entry.value.empty()) return true;
    return entry.key == "Port" || next_deeper_than(indent_of(line));
  }

  bool next_deeper_than(std::size_t indent) const {
    for (std::size_t i = next_ + 1; i < lines_.size(); ++i) {
      if (!trim(lines_[i]).empty()) return indent_of(lines_[i]) > indent;
    }
    return true;
  }

  static std::string_view title_of(std::string_view line) {
    auto title = trim(line);
    title.remove_suffix(1);
    return trim(title);
  }

  std::vector<std::string_view> lines_;
  std::size_t next_ = 0;
};

Receptacle receptacle_of(const Block& block) {
  Receptacle receptacle;
  receptacle.id = block.field("Receptacle");
  receptacle.connected = block.field("Status") == "Device connected";
  receptacle.speed = block.field("Speed");
  receptacle.gbps = gigabits_in(receptacle.speed);
  receptacle.linked = receptacle.gbps > 0 && lower(receptacle.speed).find("up to") == std::string::npos;
  return receptacle;
}

void read_services(const Block& services, Device& device) {
  device.services_known = true;
  for (const auto& service : services.blocks) {
    if (parse_integer<int>(service.field("Protocol ID")) == kRdmaProtocol) device.offers_rdma = true;
  }
}

bool is_port(std::string_view title) { return title == "Port" || title == "Port (Upstream)"; }

Device device_of(const Block& block, int depth) {
  Device device;
  device.name = std::string(block.title);
  device.vendor = block.field("Vendor Name");
  device.mode = block.field("Mode");
  device.domain_uuid = upper(block.field("Domain UUID"));
  for (const auto& inner : block.blocks) {
    if (inner.title == "Services") {
      read_services(inner, device);
    } else if (inner.title == "Port (Upstream)") {
      device.gbps = receptacle_of(inner).gbps;
    } else if (!is_port(inner.title) && depth < kDeepestTree) {
      device.behind.push_back(device_of(inner, depth + 1));
    }
    // A nested device may stand inside the block of the port that it hangs on.
    if (is_port(inner.title) && depth < kDeepestTree) {
      for (const auto& hung : inner.blocks) device.behind.push_back(device_of(hung, depth + 1));
    }
  }
  device.computer = !device.domain_uuid.empty() && (device.services_known || block.field("UID").empty());
  if (device.computer) device.model = block.field("Device Name");
  return device;
}

bool is_bus(const Block& block) {
  return block.title.find(" Bus") != std::string_view::npos &&
         block.title.find("Thunderbolt") != std::string_view::npos;
}

Bus bus_of(const Block& block) {
  Bus bus;
  bus.name = std::string(block.title);
  bus.machine = block.field("Device Name");
  bus.domain_uuid = upper(block.field("Domain UUID"));
  bus.uid = block.field("UID");
  for (const auto& inner : block.blocks) {
    if (is_port(inner.title)) {
      bus.receptacles.push_back(receptacle_of(inner));
      for (const auto& hung : inner.blocks) bus.devices.push_back(device_of(hung, 0));
    } else {
      bus.devices.push_back(device_of(inner, 0));
    }
  }
  return bus;
}

void collect(const Block& block, std::vector<Bus>& buses) {
  if (is_bus(block)) {
    buses.push_back(bus_of(block));
    return;
  }
  for (const auto& inner : block.blocks) collect(inner, buses);
}

}  // namespace

std::optional<std::vector<Bus>> parse_profiler_text(std::string_view bytes, Findings& findings) {
  const Block root = Reader(bytes).read_all();
  std::vector<Bus> buses;
  collect(root, buses);
  if (buses.empty()) {
    findings.push_back({kFile, "names no Thunderbolt bus"});
    return std::nullopt;
  }
  for (const auto& bus : buses) {
    if (bus.receptacles.empty() || bus.receptacles.front().id.empty()) {
      findings.push_back({kFile, fmt::format("{} names no receptacle", bus.name)});
    }
    if (bus.domain_uuid.empty()) {
      findings.push_back(
          {kFile,
           fmt::format("{} has no domain UUID; its cable can only be seen from the other end", bus.name)});
    }
  }
  return buses;
}

}  // namespace jackal::tbdiscovery
