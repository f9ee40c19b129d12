#include "transports/tcp/cables.hpp"

#include <algorithm>

namespace jackal::collectives {
namespace {

bool same_host(const Job& job, std::size_t mine, std::size_t other) {
  return !job.hosts.empty() && !job.hosts[mine].empty() && job.hosts[mine] == job.hosts[other];
}

const std::string& first_known(const std::string& one, const std::string& other) {
  return one.empty() ? other : one;
}

std::vector<Cable> linked(const Job& job, std::size_t mine, std::size_t other) {
  const std::vector<Link>& there = job.links[mine][other];
  const std::vector<Link>& back = job.links[other][mine];
  std::vector<Cable> cables;
  for (std::size_t k = 0; k < there.size(); ++k) {
    Cable cable{first_known(there[k].ip, back[k].peer_ip), first_known(back[k].ip, there[k].peer_ip),
                there[k].interface};
    if (!cable.ip.empty() && !cable.peer_ip.empty()) cables.push_back(std::move(cable));
  }
  return cables;
}

}  // namespace

std::vector<Cable> cables_between(const Job& job, int mine, int other) {
  const auto i = static_cast<std::size_t>(mine);
  const auto j = static_cast<std::size_t>(other);
  if (same_host(job, i, j)) return {Cable{}};
  if (!job.links.empty()) return linked(job, i, j);
  if (job.ips.empty() || job.ips[i].empty() || job.ips[j].empty()) return {Cable{}};
  std::vector<Cable> cables;
  for (std::size_t k = 0; k < std::min(job.ips[i].size(), job.ips[j].size()); ++k)
    cables.push_back({job.ips[i][k], job.ips[j][k], ""});
  return cables;
}

std::string cable_name(const std::string& address, const std::string& interface) {
  return interface.empty() ? address : address + " (" + interface + ")";
}

}  // namespace jackal::collectives
