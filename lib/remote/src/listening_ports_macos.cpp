#include <cstdio>
#include <memory>
#include <sstream>
#include <string>

#include "jackal/base/text.hpp"
#include "listening_ports.hpp"

namespace jackal::remote {

std::vector<std::uint16_t> listening_ports() {
  struct Close {
    void operator()(FILE* file) const { ::pclose(file); }
  };
  const std::unique_ptr<FILE, Close> netstat(::popen("/usr/sbin/netstat -an -p tcp", "r"));
  std::vector<std::uint16_t> ports;
  char line[512];
  while (netstat && std::fgets(line, sizeof line, netstat.get()) != nullptr) {
    // tcp4  0  0  127.0.0.1.631  *.*  LISTEN
    std::istringstream fields(line);
    std::string protocol, received, sent, local, remote, state;
    fields >> protocol >> received >> sent >> local >> remote >> state;
    const auto port = parse_integer<std::uint16_t>(std::string_view(local).substr(local.rfind('.') + 1));
    if (state == "LISTEN" && port) ports.push_back(*port);
  }
  return ports;
}

}  // namespace jackal::remote
