// Configurations and environments for tests, and ranks that use them.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "jaccl/jaccl.h"

namespace jobs {

using Devices = std::vector<std::vector<std::vector<std::string>>>;

/// A device of a made-up name for every pair.
Devices mesh(int size);
/// `cables` of them between neighbours.
Devices ring(int size, int cables);

/// Without a rank: a mesh of `size` that meets at a free port of this host.
jaccl::Config config(int size);
/// The same on other devices.
jaccl::Config config(Devices devices);

using Variables = std::map<std::string, std::string>;

/// While it lives, the process has these variables and none else of JACCL_*, MLX_*, JACKAL_* and
/// FAKE_VERBS_NODE. Only one at a time, and no thread may run that reads variables when it begins or ends.
class Environment {
public:
  explicit Environment(const Variables& variables);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

private:
  Variables before_;
};

/// No RDMA library, whatever this machine has; ranks of one host share memory, or use TCP.
Variables without_rdma(const std::string& transport, int timeout_seconds = 50);

/// The fake provider's devices. Ranks of one host do not share memory, so that they use them.
Variables over_rdma();

/// Runs `body` for every rank of `config` in a thread of its own; rethrows the first exception.
void run(const jaccl::Config& config, const std::function<void(jaccl::Group&)>& body);
/// The same, but the ranks' configurations may differ.
void run(int size, const std::function<jaccl::Config(int rank)>& config,
         const std::function<void(jaccl::Group&)>& body);

/// What `call` throws; "" when it does not.
std::string thrown(const std::function<void()>& call);

bool contains(const std::string& text, const std::string& part);

}  // namespace jobs
