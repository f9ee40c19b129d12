// The captures of real machines below tests/fixtures.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "jackal/base/file.hpp"
#include "jackal/tbdiscovery/probes.hpp"

namespace jackal::tbdiscovery::test {

inline std::string fixture(const std::string& name) {
  return read_file(std::filesystem::path(JACKAL_FIXTURES) / name, kProbeFileLimit).value();
}

/// A node of which the given (file, bytes) were probed.
inline NodeProbes probes_of(const std::string& node,
                            const std::vector<std::pair<std::string, std::string>>& files) {
  NodeProbes probes;
  probes.node = node;
  for (const auto& [file, bytes] : files) probes.files[file].bytes = bytes;
  return probes;
}

}  // namespace jackal::tbdiscovery::test
