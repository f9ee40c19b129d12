#include "transports/verbs/library.hpp"

namespace jackal::collectives {

const std::vector<std::string>& platform_verbs_libraries() {
  static const std::vector<std::string> names = {"librdma.dylib", "/usr/lib/librdma.dylib"};
  return names;
}

std::string platform_verbs_remedy() { return "RDMA over Thunderbolt needs macOS 26.2 or later"; }

}  // namespace jackal::collectives
