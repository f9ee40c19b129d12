#include "schedules/plan.hpp"

#include <algorithm>
#include <utility>

namespace jackal::collectives {
namespace {

std::size_t add_to(std::vector<Plan::Flow>& flows, int peer, int step) {
  const auto same = [peer](const Plan::Flow& flow) { return flow.peer == peer; };
  auto found = std::find_if(flows.begin(), flows.end(), same);
  if (found == flows.end()) found = flows.insert(flows.end(), Plan::Flow{peer, {}});
  found->steps.push_back(step);
  return static_cast<std::size_t>(found - flows.begin());
}

}  // namespace

Plan::Plan(const Program& from) : program(from), dependants(from.steps.size()), flow_of(from.steps.size()) {
  const auto waits_for = dependencies(from);
  for (std::size_t step = 0; step < program.steps.size(); ++step) {
    blockers.push_back(static_cast<int>(waits_for[step].size()));
    for (const int earlier : waits_for[step])
      dependants[static_cast<std::size_t>(earlier)].push_back(static_cast<int>(step));
    const Step& one = program.steps[step];
    if (is_send(one)) flow_of[step] = add_to(sends, one.peer, static_cast<int>(step));
    if (is_receive(one)) flow_of[step] = add_to(receives, one.peer, static_cast<int>(step));
  }
}

}  // namespace jackal::collectives
