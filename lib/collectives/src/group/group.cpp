#include <cstdlib>

#include "control/rendezvous.hpp"
#include "jackal/collectives.h"

namespace jackal {
inline namespace v1 {
namespace {

using std::chrono::milliseconds;

// Enough for machines that boot, and for the slowest rank's share of work between two calls.
constexpr milliseconds kInitTimeout = std::chrono::seconds(60);

std::optional<std::string> variable_of_process(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

class detail::GroupState {
public:
  explicit GroupState(collectives::Mesh mesh) : mesh_(std::move(mesh)) {}
  ~GroupState() { mesh_.say_goodbye(); }
  GroupState(const GroupState&) = delete;
  GroupState& operator=(const GroupState&) = delete;

  const collectives::Mesh& mesh() const { return mesh_; }

private:
  collectives::Mesh mesh_;
};

Group::Group(std::unique_ptr<detail::GroupState> state) : state_(std::move(state)) {}
Group::Group(Group&&) noexcept = default;
Group& Group::operator=(Group&&) noexcept = default;
Group::~Group() = default;

int Group::rank() const { return state_->mesh().rank(); }
int Group::size() const { return state_->mesh().size(); }

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
  log.info("connected to all ranks");
  return Group(std::make_unique<detail::GroupState>(std::move(mesh)));
}

}  // namespace v1
}  // namespace jackal
