#include "jackal/tbdiscovery/change.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace jackal::tbdiscovery {
namespace {

using json = nlohmann::ordered_json;

constexpr int kRecordVersion = 1;

constexpr std::array<std::pair<ChangeKind, const char*>, 7> kKinds = {{
    {ChangeKind::left_bridge, "left-bridge"},
    {ChangeKind::removed_address, "removed-address"},
    {ChangeKind::raised, "raised"},
    {ChangeKind::added_address, "added-address"},
    {ChangeKind::routed, "routed"},
    {ChangeKind::wrote_file, "wrote-file"},
    {ChangeKind::enabled_unit, "enabled-unit"},
}};

const char* name_of(ChangeKind kind) {
  return std::find_if(kKinds.begin(), kKinds.end(), [&](const auto& entry) { return entry.first == kind; })
      ->second;
}

json change_json(const Change& change) {
  json out = {{"kind", name_of(change.kind)}};
  const auto add = [&](const char* key, const std::string& text) {
    if (!text.empty()) out[key] = text;
  };
  add("interface", change.interface);
  add("bridge", change.bridge);
  if (change.prefix != 0) add("address", fmt::format("{}/{}", to_string(change.address), change.prefix));
  if (change.before) {
    add("before_gateway", change.before->gateway ? to_string(*change.before->gateway) : "");
    add("before_interface", change.before->interface);
  }
  add("path", change.path);
  return out;
}

std::string text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

/// "10.0.0.1/30".
std::optional<InterfaceAddress> address_at(const json& object, const char* key) {
  const std::string text = text_at(object, key);
  const auto slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const auto address = parse_ipv4(std::string_view(text).substr(0, slash));
  const std::string digits = text.substr(slash + 1);
  const bool number =
      !digits.empty() && digits.size() < 3 && digits.find_first_not_of("0123456789") == std::string::npos;
  if (!address || !number || std::stoi(digits) > 32) return std::nullopt;
  return InterfaceAddress{*address, std::stoi(digits)};
}

std::optional<Change> change_of(const json& object) {
  if (!object.is_object()) return std::nullopt;
  const auto kind = std::find_if(kKinds.begin(), kKinds.end(),
                                 [&](const auto& entry) { return text_at(object, "kind") == entry.second; });
  if (kind == kKinds.end()) return std::nullopt;
  Change change;
  change.kind = kind->first;
  change.interface = text_at(object, "interface");
  change.bridge = text_at(object, "bridge");
  change.path = text_at(object, "path");
  const auto address = address_at(object, "address");
  if (address) {
    change.address = address->address;
    change.prefix = address->prefix;
  }
  if (const auto over = text_at(object, "before_interface"); !over.empty()) {
    change.before =
        Route{false, network_of(change.address, 32), parse_ipv4(text_at(object, "before_gateway")), over};
  }
  const bool is_file = change.kind == ChangeKind::wrote_file || change.kind == ChangeKind::enabled_unit;
  const bool has_address = change.kind == ChangeKind::removed_address ||
                           change.kind == ChangeKind::added_address || change.kind == ChangeKind::routed;
  const bool whole = (is_file ? !change.path.empty() : !change.interface.empty()) &&
                     has_address == address.has_value() &&
                     (change.kind == ChangeKind::left_bridge) == !change.bridge.empty();
  return whole ? std::optional(change) : std::nullopt;
}

/// What two changes must share to be about the same thing.
bool same_thing(const Change& a, const Change& b) {
  const auto address = [](const Change& change) {
    return change.kind == ChangeKind::added_address || change.kind == ChangeKind::removed_address;
  };
  if (address(a) && address(b)) return a.interface == b.interface && a.address == b.address;
  if (a.kind != b.kind) return false;
  if (a.kind == ChangeKind::routed) return a.address == b.address;
  return a.interface == b.interface && a.path == b.path;
}

bool has_address(const Interface& interface, const Change& change) {
  return std::any_of(interface.addresses.begin(), interface.addresses.end(),
                     [&](const auto& own) { return own.address == change.address; });
}

}  // namespace

std::string to_text(const ChangeRecord& record) {
  if (record.changes.empty()) return "";
  json out = {{"version", kRecordVersion},
              {"system", record.system == System::linux_ ? "linux" : "macos"},
              {"changes", json::array()}};
  for (const auto& change : record.changes) out["changes"].push_back(change_json(change));
  return out.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<ChangeRecord> read_record(std::string_view text, const std::string& where) {
  ChangeRecord record;
  if (text.empty()) return record;
  const auto bad = [&](const std::string& what) {
    return fail({ErrorCode::bad_input, where, what,
                 "It says what a set-up changed. Undo that by hand, then remove the file."});
  };
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object()) return bad("is not the record of a set-up");
  const auto version = document.find("version");
  if (version == document.end() || *version != kRecordVersion)
    return bad(fmt::format("is not a record of version {}", kRecordVersion));
  const auto system = text_at(document, "system");
  const auto changes = document.find("changes");
  if ((system != "linux" && system != "macos") || changes == document.end() || !changes->is_array())
    return bad("is not the record of a set-up");
  record.system = system == "linux" ? System::linux_ : System::macos;
  for (const auto& entry : *changes) {
    const auto change = change_of(entry);
    if (!change) return bad(fmt::format("change {} is not one that is known", record.changes.size() + 1));
    record.changes.push_back(*change);
  }
  return record;
}

bool in_force(const Change& change, const NodeReport& now) {
  const auto* interface = find_interface(now, change.interface);
  switch (change.kind) {
    case ChangeKind::left_bridge:
      return interface != nullptr && find_interface(now, change.bridge) != nullptr &&
             bridge_of(now, change.interface).empty();
    case ChangeKind::removed_address:
      return interface != nullptr && !has_address(*interface, change);
    case ChangeKind::raised:
      return interface != nullptr && interface->up;
    case ChangeKind::added_address:
      return interface != nullptr && has_address(*interface, change);
    case ChangeKind::routed:
      return now.routes && std::any_of(now.routes->begin(), now.routes->end(), [&](const Route& route) {
               return !route.is_default && route.to == network_of(change.address, 32) &&
                      route.interface == change.interface;
             });
    case ChangeKind::wrote_file:
    case ChangeKind::enabled_unit:
      return true;
  }
  return false;
}

ChangeRecord extended(const ChangeRecord& old, const std::vector<Change>& more, const NodeReport& now) {
  ChangeRecord record{now.system, {}};
  const auto add = [&](const Change& change) {
    const bool known = std::any_of(record.changes.begin(), record.changes.end(),
                                   [&](const Change& other) { return same_thing(other, change); });
    if (!known) record.changes.push_back(change);
  };
  for (const auto& change : old.changes) {
    if (in_force(change, now)) add(change);
  }
  for (const auto& change : more) {
    Change own = change;
    if (own.displaced) {
      // A later set-up may remove the address that displaced this one: it counts by itself.
      const auto& gone = *own.displaced;
      add({ChangeKind::removed_address, own.interface, "", gone.address, gone.prefix, {}, {}, ""});
      own.displaced.reset();
    }
    add(own);
  }
  return record;
}

std::vector<Change> changes_to_undo(const ChangeRecord& record, const NodeReport& now) {
  std::vector<Change> firsts;
  for (const auto& change : record.changes) {
    const bool known = std::any_of(firsts.begin(), firsts.end(),
                                   [&](const Change& other) { return same_thing(other, change); });
    if (!known) firsts.push_back(change);
  }
  std::vector<Change> undo;
  std::copy_if(firsts.rbegin(), firsts.rend(), std::back_inserter(undo),
               [&](const Change& change) { return in_force(change, now); });
  return undo;
}

}  // namespace jackal::tbdiscovery
