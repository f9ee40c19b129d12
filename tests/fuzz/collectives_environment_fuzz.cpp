// The texts that the environment names or holds: files of JSON, addresses, node lists.
#include <cstdint>
#include <string_view>

#include "env/files.hpp"
#include "env/starters.hpp"
#include "transports/tcp/address.hpp"

using namespace jackal::collectives;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // Each gives a value or says why not, never both or neither.
  const auto table = parse_host_table(text);
  if (table.value.has_value() != table.problem.empty()) __builtin_trap();
  const auto ring = parse_ring(text);
  if (ring.value.has_value() != ring.problem.empty()) __builtin_trap();
  const auto matrix = parse_device_matrix(text);
  if (matrix.value.has_value() != matrix.problem.empty()) __builtin_trap();
  if (const auto where = parse_host_port(text); where && (where->port == 0 || where->host.empty()))
    __builtin_trap();
  if (const auto node = first_slurm_node(text); node && node->empty()) __builtin_trap();
  return 0;
}
