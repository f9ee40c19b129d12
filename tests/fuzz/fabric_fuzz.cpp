// Fabrics, which come from a file that anybody may have written.
#include <cstdint>
#include <string_view>

#include "fabric/fabric.hpp"

using namespace jackal::collectives;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ReadFabric read = parse_fabric({reinterpret_cast<const char*>(data), size});
  if (read.fabric.has_value() != read.problem.empty()) __builtin_trap();
  if (!read.fabric) return 0;
  // What was read can be written, and says the same.
  const ReadFabric again = parse_fabric(write_fabric(*read.fabric));
  if (!again.fabric || !(*again.fabric == *read.fabric)) __builtin_trap();
  return 0;
}
