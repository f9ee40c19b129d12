#include "env/environment.hpp"

#include <algorithm>
#include <cstdlib>

#include "env/files.hpp"
#include "env/starters.hpp"

namespace jackal::collectives {
namespace {

constexpr std::size_t kHostfileLimit = 64 << 20;
constexpr std::size_t kFabricLimit = 64 << 20;
constexpr std::size_t kSecretLimit = 4096;
constexpr std::size_t kSecretSize = 32;  // the least; what launch writes
constexpr int kLongestTimeout = 366 * 24 * 3600;

[[noreturn]] void refuse(Code code, const std::string& what) { throw Error(code, what, -1, "", "", "init"); }

// Throws invalid_argument unless the variable, where it is set, is one of `known`.
void require_choice(const Variables& variables, const std::string& name,
                    const std::vector<std::string>& known) {
  const auto value = variables.text(name);
  if (!value || std::find(known.begin(), known.end(), *value) != known.end()) return;
  std::string list;
  for (const std::string& word : known) list += (list.empty() ? "" : ", ") + word;
  refuse(Code::invalid_argument, name + " is \"" + *value + "\", expected one of: " + list);
}

void check_choices(const Variables& variables) {
  require_choice(variables, "JACKAL_TRANSPORT", {"auto", "shm", "tcp", "verbs"});
  require_choice(variables, "JACKAL_DETERMINISTIC", {"0", "1"});
  require_choice(variables, "JACKAL_VERBS_LIMITS", {"apple", "device"});
  require_choice(variables, "JACKAL_VERBS_CHECKSUM", {"0", "1"});
}

LogLevel log_level(const Variables& variables) {
  require_choice(variables, "JACKAL_LOG", {"error", "warn", "info", "debug"});
  const std::string level = variables.text("JACKAL_LOG").value_or("");
  if (level == "error") return LogLevel::error;
  if (level == "warn") return LogLevel::warn;
  if (level == "info") return LogLevel::info;
  return level == "debug" ? LogLevel::debug : LogLevel::off;
}

Fabric read_fabric(const std::string& path, int size) {
  const Read<std::string> file = read_text(path, kFabricLimit);
  if (!file.value) refuse(Code::invalid_argument, "JACKAL_FABRIC: " + file.problem);
  ReadFabric read = parse_fabric(*file.value);
  if (!read.fabric) refuse(Code::invalid_argument, "JACKAL_FABRIC: " + path + " " + read.problem);
  if (read.fabric->ranks != size)
    refuse(Code::invalid_argument, "JACKAL_FABRIC: " + path + " is of " + std::to_string(read.fabric->ranks) +
                                       " ranks, but the group has " + std::to_string(size));
  return std::move(*read.fabric);
}

// What names an algorithm may be is known once the ranks are connected.
Settings read_settings(const Variables& variables, int size) {
  Settings settings;
  const std::string transport = variables.text("JACKAL_TRANSPORT").value_or("auto");
  if (transport == "shm") settings.transport = Transport::shm;
  if (transport == "tcp") settings.transport = Transport::tcp;
  if (transport == "verbs") settings.transport = Transport::verbs;
  settings.algorithm = variables.text("JACKAL_ALGORITHM").value_or("auto");
  if (settings.algorithm == "auto") settings.algorithm.clear();
  settings.deterministic = variables.text("JACKAL_DETERMINISTIC") == "1";
  if (const auto path = variables.text("JACKAL_FABRIC")) settings.fabric = read_fabric(*path, size);
  return settings;
}

std::string read_secret(const std::string& path) {
  Read<std::string> file = read_text(path, kSecretLimit);
  if (!file.value) refuse(Code::invalid_argument, "JACKAL_SECRET_FILE: " + file.problem);
  if (file.value->size() < kSecretSize)
    refuse(Code::invalid_argument, "JACKAL_SECRET_FILE: " + path + " has " +
                                       std::to_string(file.value->size()) + " bytes, a secret has at least " +
                                       std::to_string(kSecretSize));
  return std::move(*file.value);
}

HostTable read_hosts(const std::string& path, int size) {
  const Read<std::string> file = read_text(path, kHostfileLimit);
  if (!file.value) refuse(Code::invalid_argument, "JACKAL_HOSTFILE: " + file.problem);
  Read<HostTable> table = parse_host_table(*file.value);
  if (!table.value) refuse(Code::invalid_argument, "JACKAL_HOSTFILE: " + path + " " + table.problem);
  if (table.value->names.size() != static_cast<std::size_t>(size))
    refuse(Code::invalid_argument, "JACKAL_HOSTFILE: " + path + " has " +
                                       std::to_string(table.value->names.size()) +
                                       " hosts, expected one for each of " + std::to_string(size) + " ranks");
  return std::move(*table.value);
}

VerbsOptions read_verbs(const Variables& variables) {
  VerbsOptions options;
  options.library = variables.text("JACKAL_VERBS_LIBRARY").value_or("");
  options.apple_limits = variables.text("JACKAL_VERBS_LIMITS") == "apple";
  options.device_limits = variables.text("JACKAL_VERBS_LIMITS") == "device";
  options.checksum = variables.text("JACKAL_VERBS_CHECKSUM") == "1";
  return options;
}

// Whether RDMA is used, and whether it must be: a job set up for it must not run over TCP unless somebody
// says so, for it would only look slow.
void decide_verbs(const Variables& variables, const std::string& set_up_by, const std::string& backend,
                  Job& job, Settings& settings) {
  settings.verbs = read_verbs(variables);
  const bool refused = settings.transport == Transport::shm || settings.transport == Transport::tcp;
  const bool offered = !set_up_by.empty() || backend == "jackal" || settings.transport == Transport::verbs;
  if (job.size == 1 || refused || !offered) job.devices.clear();
  if (job.size == 1 || refused) return;
  if (settings.transport == Transport::verbs) settings.verbs_for = "JACKAL_TRANSPORT=verbs";
  // Said aloud, "auto" means: as good as it can be had.
  if (!variables.text("JACKAL_TRANSPORT")) settings.verbs_for = set_up_by;
  if (!settings.verbs_for.empty() && job.devices.empty())
    refuse(Code::invalid_argument, settings.verbs_for +
                                       " asks for RDMA, but there is no device matrix; make the host file "
                                       "with distributed-config, or set JACKAL_TRANSPORT=tcp");
}

}  // namespace

std::optional<std::string> variable_of_process(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

LogLevel read_log_level(const Lookup& lookup) { return log_level(Variables(lookup)); }

Environment read_environment(const Lookup& lookup) {
  const Variables variables(lookup);
  Environment environment;
  environment.log = log_level(variables);
  check_choices(variables);
  if (const auto seconds = variables.number("JACKAL_TIMEOUT", 1, kLongestTimeout))
    environment.timeout = std::chrono::seconds(*seconds);

  Found found = find_start(variables);
  environment.skipped = std::move(found.incomplete);
  Job& job = environment.job;
  job.rank = found.start->rank;
  job.size = found.start->size;
  job.coordinator = found.start->coordinator;
  job.source = found.start->source;
  bool ring = found.start->ring;
  std::string set_up_by = found.start->devices.empty() ? "" : "the device matrix of " + job.source;
  std::string backend;
  job.devices = std::move(found.start->devices);
  job.id = variables.text("JACKAL_JOB").value_or("");
  if (const auto path = variables.text("JACKAL_SECRET_FILE")) job.secret = read_secret(*path);
  if (const auto path = variables.text("JACKAL_HOSTFILE")) {
    HostTable table = read_hosts(*path, job.size);
    job.hostfile = *path;
    job.hosts = std::move(table.names);
    job.ips = std::move(table.ips);
    job.links = std::move(table.links);
    backend = table.backend;
    if (job.devices.empty()) job.devices = std::move(table.devices);
    if (backend == "jaccl" || backend == "jaccl-ring")
      set_up_by = "the backend \"" + backend + "\" of JACKAL_HOSTFILE";
    ring = ring || backend == "jaccl-ring";
  }
  environment.settings = read_settings(variables, job.size);
  decide_verbs(variables, set_up_by, backend, job, environment.settings);
  environment.settings.prefer_ring = ring && !job.devices.empty() && environment.settings.algorithm.empty();
  return environment;
}

}  // namespace jackal::collectives
