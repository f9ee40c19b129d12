// Whatever the list: it is refused with a reason, or its hosts are names that need no expansion any more.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "jackal/hostfile/hostlist.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace jackal::hostfile;
  const std::string_view list(reinterpret_cast<const char*>(data), size);
  const auto hosts = expand_hosts(list, "--hosts");
  if (!hosts) {
    require(hosts.error().code == jackal::ErrorCode::usage && hosts.error().where == "--hosts");
    require(!hosts.error().what.empty());
    return 0;
  }
  require(!hosts->empty() && hosts->size() <= 100'000);
  std::string joined;
  for (const std::string& host : *hosts) {
    require(!host.empty() && host[0] != '-');
    joined += (joined.empty() ? "" : ",") + host;
  }
  require(expand_hosts(joined, "--hosts").value() == *hosts);
  require(!exclude_hosts(*hosts, *hosts));
  return 0;
}
