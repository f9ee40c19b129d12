// The texts that the environment names or holds: files of JSON, addresses, node lists.
#include <cstdint>
#include <string_view>

#include "env/files.hpp"
#include "env/starters.hpp"
#include "transports/tcp/address.hpp"
#include "transports/tcp/cables.hpp"

using namespace jackal::collectives;

namespace {

// What the connections rely on.
void check(const HostTable& table) {
  const std::size_t ranks = table.names.size();
  if (table.ips.size() != ranks || (!table.links.empty() && table.links.size() != ranks)) __builtin_trap();
  Job job;
  job.size = static_cast<int>(ranks);
  job.hosts = table.names;
  job.ips = table.ips;
  job.links = table.links;
  const int last = job.size - 1;
  if (last == 0) return;
  const auto there = cables_between(job, 0, last);
  const auto back = cables_between(job, last, 0);
  if (there.size() != back.size()) __builtin_trap();
  for (std::size_t k = 0; k < there.size(); ++k)
    if (there[k].ip != back[k].peer_ip || there[k].peer_ip != back[k].ip) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // Each gives a value or says why not, never both or neither.
  const auto table = parse_host_table(text);
  if (table.value.has_value() != table.problem.empty()) __builtin_trap();
  if (table.value) check(*table.value);
  const auto ring = parse_ring(text);
  if (ring.value.has_value() != ring.problem.empty()) __builtin_trap();
  const auto matrix = parse_device_matrix(text);
  if (matrix.value.has_value() != matrix.problem.empty()) __builtin_trap();
  if (const auto where = parse_host_port(text); where && (where->port == 0 || where->host.empty()))
    __builtin_trap();
  if (const auto node = first_slurm_node(text); node && node->empty()) __builtin_trap();
  return 0;
}
