// What the probe commands printed, before anybody reads it. Live runs fill it over SSH and saved probes from
// a directory; everything after works on this alone, so any cluster can be replayed on another desk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/error.hpp"

namespace jackal::tbdiscovery {

/// One command's output. Unknown members are empty, as for a file that a person pasted.
struct ProbeOutput {
  std::string bytes;  // standard output, as printed
  std::vector<std::string> argv;
  std::optional<int> exit;
  std::string standard_error;
  std::int64_t milliseconds = 0;

  bool operator==(const ProbeOutput&) const = default;
};

struct NodeProbes {
  std::string node;                          // as the person named it
  std::map<std::string, ProbeOutput> files;  // "system_profiler.json" → …; absent: the command gave nothing
  std::optional<Error> failure;              // why nothing was probed: unreachable, unauthenticated
};

/// One entry a node, in the order in which the person named them.
using RawProbes = std::vector<NodeProbes>;

/// The most that one probe file may hold.
inline constexpr std::size_t kProbeFileLimit = 8U << 20;

/// DIR/NODE/FILE and DIR/NODE/status.json for every node. With `nodes`, only those, in that order; without,
/// all, by name. Files of other names are left alone. status.json may be missing (pasted outputs), its
/// contents are never trusted.
Result<RawProbes> read_probes(const std::filesystem::path& directory, const std::vector<std::string>& nodes);
Result<void> write_probes(const std::filesystem::path& directory, const RawProbes& probes);

/// The file names of saved probes.
const std::vector<std::string_view>& probe_file_names();

}  // namespace jackal::tbdiscovery
