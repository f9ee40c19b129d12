// networksetup: hardware ports and network services.
#include <cstdio>

#include "simmac/commands.hpp"
#include "simmac/node_state.hpp"

namespace jackal::simmac {

int networksetup(const Mac& mac, const Words& words) {
  const std::string verb = words.empty() ? "" : words.front();
  const auto cluster = as_it_is(mac.description.cluster, mac.self, read_node_state());
  if (verb == "-listallhardwareports") {
    std::fputs(hardware_ports(cluster, mac.self).c_str(), stdout);
    return 0;
  }
  if (verb == "-listnetworkserviceorder") {
    std::fputs(service_order(cluster, mac.self).c_str(), stdout);
    return 0;
  }
  std::printf("** Error: The parameter is not valid.\n");
  return 4;
}

}  // namespace jackal::simmac
