// Any bytes as the output of any probe command: the first byte says which command, the rest is what it
// printed.
#include <cstdint>

#include "jackal/tbdiscovery/report.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace jackal::tbdiscovery;
  if (size == 0) return 0;
  const auto& names = probe_file_names();
  NodeProbes probes;
  probes.node = "fuzzed";
  probes.files[std::string(names[data[0] % names.size()])].bytes.assign(data + 1, data + size);
  const NodeReport report = parse(probes);
  if (report.node != "fuzzed") __builtin_trap();
  return 0;
}
