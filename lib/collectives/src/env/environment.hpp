// From the environment's variables to what init() is to do. Pure but for the files that the variables name.
// Nothing is guessed: a variable that is malformed, or that asks for what this version cannot do, is an
// error.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "env/files.hpp"
#include "error.hpp"
#include "fabric/fabric.hpp"
#include "log.hpp"
#include "transports/tcp/address.hpp"

namespace jackal::collectives {

/// The value of a variable; nullopt when it is not set.
using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

/// The Lookup of this process; not while another thread changes its environment.
std::optional<std::string> variable_of_process(const std::string& name);

struct Job {
  int rank = 0;
  int size = 1;
  HostPort coordinator;                       // where the ranks meet; meaningless for a group of one
  std::string id;                             // "" when the starter gave none
  std::string secret;                         // "" when the starter gave none
  std::vector<std::string> hosts;             // of every rank, as the host file calls it; may be empty
  std::vector<std::vector<std::string>> ips;  // as HostTable has them; may be empty
  std::vector<std::vector<std::vector<Link>>> links;  // likewise
  DeviceMatrix devices;                               // where RDMA is to be used; else empty
  std::string hostfile;                               // path of JACKAL_HOSTFILE; may be empty
  std::string source = "nothing";                     // which variables it came from
};

enum class Transport { automatic, shm, tcp, verbs };

struct VerbsOptions {
  std::string library;         // path of the verbs library; "": the system's
  bool apple_limits = false;   // JACKAL_VERBS_LIMITS=apple
  bool device_limits = false;  // JACKAL_VERBS_LIMITS=device
  bool checksum = false;       // CRC-32C in every message
};

/// What the user asks of every group; the same on every rank.
struct Settings {
  Transport transport = Transport::automatic;
  std::string algorithm;         // "": the best
  std::optional<Fabric> fabric;  // of JACKAL_FABRIC, instead of a measurement
  bool deterministic = false;    // nothing that is measured has a say in the results
  bool prefer_ring = false;      // `algorithm` is "ring" because the job was set up as one
  std::string verbs_for;  // what asks for RDMA, so that not getting it is an error; "" when nothing does
  VerbsOptions verbs;
};

struct Environment {
  Job job;
  Settings settings;
  std::optional<std::chrono::milliseconds> timeout;
  LogLevel log = LogLevel::off;
  std::vector<std::string> skipped;  // incomplete sets that a complete one made irrelevant
};

/// Throws Error: invalid_argument for what is malformed or incomplete, unavailable for what does not exist
/// yet.
Environment read_environment(const Lookup& lookup);

/// JACKAL_LOG. Throws invalid_argument where that is no level.
LogLevel read_log_level(const Lookup& lookup);

}  // namespace jackal::collectives
