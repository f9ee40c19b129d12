#include <cstdlib>

#include "control/rendezvous.hpp"
#include "group/collective.hpp"
#include "jackal/collectives.h"

namespace jackal {
inline namespace v1 {
namespace {

using std::chrono::milliseconds;

// Enough for machines that boot, and for the slowest rank's share of work between two calls.
constexpr milliseconds kInitTimeout = std::chrono::seconds(60);
constexpr milliseconds kCallTimeout = std::chrono::seconds(600);

std::optional<std::string> variable_of_process(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

class detail::GroupState {
public:
  GroupState(collectives::Mesh mesh, std::vector<collectives::TcpLanes> lanes, milliseconds timeout)
      : collectives_(std::move(mesh), std::move(lanes)), timeout_(timeout) {}

  collectives::Collectives& operations() { return collectives_; }
  milliseconds timeout(const CallOptions& options) const { return options.timeout.value_or(timeout_); }

private:
  collectives::Collectives collectives_;
  milliseconds timeout_;
};

Group::Group(std::unique_ptr<detail::GroupState> state) : state_(std::move(state)) {}
Group::Group(Group&&) noexcept = default;

Group& Group::operator=(Group&& other) noexcept {
  if (this == &other) return *this;
  if (state_) state_->operations().leave();
  state_ = std::move(other.state_);
  return *this;
}

Group::~Group() {
  if (state_) state_->operations().leave();
}

int Group::rank() const { return state_->operations().rank(); }
int Group::size() const { return state_->operations().size(); }

void Group::all_reduce(const void* in, void* out, std::size_t count, Dtype dtype, Op op,
                       const CallOptions& options) {
  if (op != Op::sum) throw Error(Code::unavailable, "all_reduce: only sums are built in");
  state_->operations().all_sum(in, out, count, dtype, state_->timeout(options));
}

void Group::all_gather(const void* in, void* out, std::size_t count, Dtype dtype,
                       const CallOptions& options) {
  state_->operations().all_gather(in, out, count, dtype, state_->timeout(options));
}

void Group::barrier(const CallOptions& options) { state_->operations().barrier(state_->timeout(options)); }

Group init(const InitOptions& options) {
  const collectives::Environment environment =
      collectives::read_environment(options.variable ? options.variable : variable_of_process);
  const collectives::Job& job = environment.job;
  const collectives::Log log(environment.log, job.rank);
  for (const std::string& skipped : environment.skipped) log.warn("not used: " + skipped);
  log.info("rank " + std::to_string(job.rank) + " of " + std::to_string(job.size) + ", as told by " +
           job.source);
  const milliseconds patience = options.timeout.value_or(environment.timeout.value_or(kInitTimeout));
  collectives::Mesh mesh =
      job.size == 1 ? collectives::Mesh(0, 1, job.secret, log) : collectives::meet(job, patience, log);
  std::vector<collectives::TcpLanes> lanes(1);
  if (job.size > 1) {
    const collectives::Deadline deadline = collectives::Clock::now() + patience;
    const auto share = [&](const std::string& mine) { return mesh.share(mine, deadline); };
    try {
      const std::vector<bool> wanted(static_cast<std::size_t>(job.size), true);
      lanes = collectives::connect_lanes(mesh, job, wanted, share, deadline);
    } catch (const Error& error) {
      mesh.announce(error);
      throw;
    }
  }
  log.info("connected to all ranks");
  return Group(std::make_unique<detail::GroupState>(std::move(mesh), std::move(lanes),
                                                    environment.timeout.value_or(kCallTimeout)));
}

}  // namespace v1
}  // namespace jackal
