#include "simmac/description.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "jackal/base/text.hpp"
#include "jackal/tbdiscovery/ipv4.hpp"

namespace jackal::simmac {
namespace {

using nlohmann::json;

/// What is wrong, with the place in the file; becomes an Error at the edge of this file.
struct Wrong {
  std::string at;
  std::string what;
};

[[noreturn]] void refuse(const std::string& at, std::string what) { throw Wrong{at, std::move(what)}; }

/// An object whose members are asked for one by one; one that nobody asked for is a mistake.
class Members {
public:
  Members(const json& object, std::string at) : object_(object), at_(std::move(at)) {
    if (!object.is_object()) refuse(at_, "must be an object");
  }

  const json* find(const std::string& key) {
    known_.insert(key);
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }
  std::string at(const std::string& key) const { return at_.empty() ? key : at_ + "." + key; }

  void read(const std::string& key, std::string& value) {
    if (const json* found = find(key)) value = text(*found, at(key));
  }
  void read(const std::string& key, bool& value) {
    const json* found = find(key);
    if (found == nullptr) return;
    if (!found->is_boolean()) refuse(at(key), "must be true or false");
    value = found->get<bool>();
  }
  void read(const std::string& key, int& value, int low, int high) {
    const json* found = find(key);
    if (found == nullptr) return;
    const auto number = found->is_number_integer() ? found->get<std::int64_t>() : std::int64_t{low} - 1;
    if (number < low || number > high)
      refuse(at(key), fmt::format("must be a number from {} to {}", low, high));
    value = static_cast<int>(number);
  }
  void read(const std::string& key, std::vector<std::string>& values) {
    const json* found = find(key);
    if (found == nullptr) return;
    if (!found->is_array()) refuse(at(key), "must be a list");
    values.clear();
    for (const auto& one : *found) values.push_back(text(one, at(key)));
  }

  void end() const {
    for (const auto& [key, value] : object_.items()) {
      if (known_.count(key) == 0) refuse(at(key), "is not known");
    }
  }

  static std::string text(const json& value, const std::string& at) {
    if (!value.is_string()) refuse(at, "must be a string");
    return value.get<std::string>();
  }

private:
  const json& object_;
  std::string at_;
  std::set<std::string> known_;
};

Behaviour behaviour_of(const json& value, const std::string& at) {
  Behaviour behaviour;
  Members members(value, at);
  if (const json* seconds = members.find("seconds")) {
    if (!seconds->is_number() || *seconds < 0 || *seconds > 3600) refuse(at, "must be seconds");
    behaviour.seconds = seconds->get<double>();
  }
  members.read("missing", behaviour.missing);
  members.read("hangs", behaviour.hangs);
  if (members.find("exit") != nullptr) members.read("exit", behaviour.exit.emplace(), 0, 255);
  members.read("output", behaviour.output);
  members.read("error", behaviour.error);
  members.end();
  return behaviour;
}

void read_commands(Members& members, std::map<std::string, Behaviour>& commands) {
  const json* found = members.find("commands");
  if (found == nullptr) return;
  if (!found->is_object()) refuse(members.at("commands"), "must be an object");
  for (const auto& [command, value] : found->items()) {
    commands[command] = behaviour_of(value, members.at("commands") + "." + command);
  }
}

Machine model_of(const std::string& name, const std::string& at) {
  if (name == "studio") return studio("", "");
  if (name == "macbook") return macbook("", "");
  if (name == "mini") return mini_m4("", "");
  refuse(at, "must be studio (M3 Ultra), macbook (M5 Max) or mini (M4)");
}

Port& port_of(Machine& machine, const std::string& interface, const std::string& at) {
  const auto found = std::find_if(machine.ports.begin(), machine.ports.end(),
                                  [&](const Port& port) { return port.interface == interface; });
  if (found == machine.ports.end()) refuse(at, fmt::format("{} has no port {}", machine.name, interface));
  return *found;
}

void read_ports(Members& members, Machine& machine) {
  const json* ports = members.find("ports");
  if (ports == nullptr) return;
  const auto at = members.at("ports");
  if (!ports->is_object() || ports->empty()) refuse(at, "must be an object like {\"1\": \"en2\"}");
  machine.ports.clear();
  for (const auto& [receptacle, interface] : ports->items()) {
    const auto number = parse_integer<int>(receptacle);
    if (!number || *number < 1 || *number > 9) refuse(at, "a receptacle is a number from 1 to 9");
    Port port;
    port.receptacle = receptacle;
    port.interface = Members::text(interface, at + "." + receptacle);
    machine.ports.push_back(std::move(port));
  }
}

void read_bridge(Members& members, Machine& machine) {
  const json* bridge = members.find("bridge");
  if (bridge == nullptr) return;
  const auto at = members.at("bridge");
  if (bridge->is_boolean()) {
    machine.bridge = bridge->get<bool>();
    for (auto& port : machine.ports) port.in_bridge = machine.bridge;
    return;
  }
  std::vector<std::string> names;
  members.read("bridge", names);
  machine.bridge = true;
  for (const auto& name : names) port_of(machine, name, at).in_bridge = true;
}

void mark_ports(Members& members, Machine& machine, const std::string& key, bool Port::*member, bool value) {
  std::vector<std::string> names;
  members.read(key, names);
  for (const auto& name : names) port_of(machine, name, members.at(key)).*member = value;
}

void read_devices(Members& members, Machine& machine, const std::string& key, std::string Port::*member) {
  const json* devices = members.find(key);
  if (devices == nullptr) return;
  const auto at = members.at(key);
  if (!devices->is_object()) refuse(at, "must be an object like {\"en4\": \"PRO-G40\"}");
  for (const auto& [port, product] : devices->items())
    port_of(machine, port, at).*member = Members::text(product, at);
}

Machine machine_of(const json& value, const std::string& name, const std::string& at,
                   std::map<std::string, Behaviour>& commands) {
  Members members(value, at);
  std::string model = "studio";
  members.read("model", model);
  Machine machine = model_of(model, members.at("model"));
  machine.name = name;
  members.read("identifier", machine.model);
  members.read("product", machine.product);
  members.read("thunderbolt", machine.generation, 3, 5);
  members.read("macos", machine.macos);
  members.read("rdma", machine.rdma);
  members.read("sudo", machine.sudo);
  members.read("sleep_minutes", machine.sleep_minutes, 0, 10000);
  members.read("services", machine.services);
  read_ports(members, machine);
  read_bridge(members, machine);
  mark_ports(members, machine, "rdma_down", &Port::port_down, true);
  mark_ports(members, machine, "unlisted", &Port::listed, false);
  read_devices(members, machine, "drives", &Port::drive);
  read_devices(members, machine, "docks", &Port::dock);
  read_commands(members, commands);
  members.end();
  return machine;
}

void read_machines(Members& members, Description& description) {
  std::map<std::string, Behaviour> everywhere;
  read_commands(members, everywhere);
  const json* machines = members.find("machines");
  if (machines == nullptr) refuse("machines", "is missing");
  json list = *machines;
  if (machines->is_number_integer() && *machines >= 1 && *machines <= 250) {
    list = json::array();
    for (int i = 0; i < machines->get<int>(); ++i) list.push_back(json::object());
  }
  if (!list.is_array() || list.empty() || list.size() > 250) {
    refuse("machines", "must be a list of machines, or how many Mac Studios there are (1 to 250)");
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    auto commands = everywhere;
    description.cluster.machines.push_back(
        machine_of(list[i], fmt::format("n{}", i + 1), fmt::format("machines[{}]", i), commands));
    description.commands.push_back(std::move(commands));
  }
}

/// "n1:en2"
Plug plug_of(const Description& description, const std::string& text, const std::string& at) {
  const auto colon = text.find(':');
  const auto machine = colon == std::string::npos ? std::nullopt : description.machine(text.substr(0, colon));
  if (!machine) refuse(at, fmt::format("\"{}\" is no port of a machine; write one like n1:en2", text));
  const auto& ports = description.cluster.machines[*machine].ports;
  for (std::size_t port = 0; port < ports.size(); ++port) {
    if (ports[port].interface == text.substr(colon + 1)) return {*machine, port};
  }
  refuse(at, fmt::format("\"{}\": that machine has no such port", text));
}

void read_cable(const json& value, const std::string& at, Description& description) {
  Cable cable;
  Laying laying;
  const json object = value.is_string() ? json::object({{"ends", value}}) : value;
  Members members(object, at);
  std::string ends;
  members.read("ends", ends);
  members.read("gbps", cable.gbps, 1, 1000);
  members.read("hubs", cable.hubs);
  members.read("rate", laying.rate);
  members.end();
  const auto space = ends.find(' ');
  if (space == std::string::npos) refuse(at, "has no two ends; write them like \"n1:en2 n2:en3\"");
  cable.a = plug_of(description, ends.substr(0, space), at);
  cable.b = plug_of(description, ends.substr(space + 1), at);
  description.cluster.cables.push_back(std::move(cable));
  description.layings.push_back(std::move(laying));
}

void check_plugs(const Description& description) {
  const Cluster& cluster = description.cluster;
  std::set<std::pair<std::size_t, std::size_t>> used;
  const auto use = [&](const Plug& plug, const std::string& at) {
    const auto& port = cluster.machines[plug.machine].ports[plug.port];
    if (used.insert({plug.machine, plug.port}).second && port.drive.empty() && port.dock.empty()) return;
    refuse(at, fmt::format("n{}:{} has something in it already", plug.machine + 1, port.interface));
  };
  for (std::size_t i = 0; i < cluster.cables.size(); ++i) {
    use(cluster.cables[i].a, fmt::format("cables[{}]", i));
    use(cluster.cables[i].b, fmt::format("cables[{}]", i));
  }
  for (const auto& plug : cluster.strangers) use(plug, "strangers");
}

Description description_of(const json& root) {
  Description description;
  Members members(root, "");
  read_machines(members, description);
  if (const json* cables = members.find("cables")) {
    if (!cables->is_array()) refuse("cables", "must be a list");
    for (std::size_t i = 0; i < cables->size(); ++i) {
      read_cable((*cables)[i], fmt::format("cables[{}]", i), description);
    }
  }
  std::vector<std::string> strangers;
  members.read("strangers", strangers);
  for (const auto& plug : strangers) {
    description.cluster.strangers.push_back(plug_of(description, plug, "strangers"));
  }
  members.end();
  check_plugs(description);
  return description;
}

}  // namespace

std::optional<std::size_t> Description::machine(std::string_view name) const {
  for (std::size_t i = 0; i < cluster.machines.size(); ++i) {
    if (cluster.machines[i].name == name) return i;
  }
  return std::nullopt;
}

Result<Description> read_description(std::string_view text, const std::string& where) {
  const char* const hint = "docs/virtual-cluster.md says what may stand in it.";
  try {
    return description_of(json::parse(text));
  } catch (const Wrong& wrong) {
    return fail({ErrorCode::bad_input, where, wrong.at + " " + wrong.what, hint});
  } catch (const json::exception& error) {
    return fail({ErrorCode::bad_input, where, fmt::format("is no JSON: {}", error.what()), hint});
  }
}

std::vector<std::string> up_words(const Description& description) {
  const Cluster& cluster = description.cluster;
  std::vector<std::string> words = {"--nodes", std::to_string(cluster.machines.size())};
  std::set<std::pair<std::size_t, std::size_t>> used;
  const auto name = [&](const Plug& plug) {
    used.insert({plug.machine, plug.port});
    const Machine& machine = cluster.machines[plug.machine];
    return machine.name + ":" + machine.ports[plug.port].interface;
  };
  const auto add = [&](std::string value) { words.insert(words.end(), {"--cable", std::move(value)}); };
  for (std::size_t i = 0; i < cluster.cables.size(); ++i) {
    const auto& rate = description.layings[i].rate;
    add(name(cluster.cables[i].a) + "," + name(cluster.cables[i].b) + (rate.empty() ? "" : "," + rate));
  }
  for (const auto& plug : cluster.strangers) add(name(plug) + ",-");
  for (std::size_t machine = 0; machine < cluster.machines.size(); ++machine) {
    for (std::size_t port = 0; port < cluster.machines[machine].ports.size(); ++port) {
      if (used.count({machine, port}) == 0) add(name({machine, port}));
    }
  }
  return words;
}

}  // namespace jackal::simmac
