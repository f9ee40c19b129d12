#include "env/environment.hpp"

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

// Throws invalid_argument unless the variable is one of `known`, unavailable unless it is one of `present`.
void require_choice(const Variables& variables, const std::string& name,
                    const std::vector<std::string>& known, const std::vector<std::string>& present) {
  const auto value = variables.text(name);
  if (!value) return;
  const auto list = [](const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
  };
  const auto holds = [&value](const std::vector<std::string>& words) {
    for (const std::string& word : words)
      if (word == *value) return true;
    return false;
  };
  if (!known.empty() && !holds(known))
    refuse(Code::invalid_argument, name + " is \"" + *value + "\", expected one of: " + list(known));
  if (!holds(present))
    refuse(Code::unavailable, name + "=" + *value + " asks for what this version of Jackal does not have" +
                                  (present.empty() ? "; unset it" : "; it has: " + list(present)));
}

void check_choices(const Variables& variables) {
  require_choice(variables, "JACKAL_TRANSPORT", {"auto", "shm", "tcp", "verbs"}, {"auto", "shm", "tcp"});
  require_choice(variables, "JACKAL_DETERMINISTIC", {"0", "1"}, {"0", "1"});
  require_choice(variables, "JACKAL_VERBS_LIMITS", {"apple", "device"}, {});
}

LogLevel log_level(const Variables& variables) {
  require_choice(variables, "JACKAL_LOG", {"error", "warn", "info", "debug"},
                 {"error", "warn", "info", "debug"});
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

// A job set up for RDMA must not run over TCP unless somebody says so: it would only look slow.
void check_verbs(const Job& job, const Settings& settings, const std::string& asked_by) {
  if (job.size == 1 || asked_by.empty() || settings.transport != Transport::automatic) return;
  refuse(Code::unavailable, asked_by +
                                " asks for RDMA, which this version of Jackal does not have; set "
                                "JACKAL_TRANSPORT=tcp to use TCP instead");
}

}  // namespace

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
  std::string verbs = found.start->verbs ? "the device matrix of " + job.source : "";
  job.id = variables.text("JACKAL_JOB").value_or("");
  if (const auto path = variables.text("JACKAL_SECRET_FILE")) job.secret = read_secret(*path);
  if (const auto path = variables.text("JACKAL_HOSTFILE")) {
    HostTable table = read_hosts(*path, job.size);
    job.hostfile = *path;
    job.hosts = std::move(table.names);
    job.ips = std::move(table.ips);
    job.links = std::move(table.links);
    if (table.backend == "jaccl" || table.backend == "jaccl-ring")
      verbs = "the backend \"" + table.backend + "\" of JACKAL_HOSTFILE";
  }
  environment.settings = read_settings(variables, job.size);
  check_verbs(job, environment.settings, verbs);
  return environment;
}

}  // namespace jackal::collectives
