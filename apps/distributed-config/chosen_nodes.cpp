#include "distributed-config/chosen_nodes.hpp"

#include <algorithm>

#include "jackal/hostfile/hostlist.hpp"
#include "jackal/hostfile/reader.hpp"
#include "jackal/tbdiscovery/probes.hpp"

namespace jackal::distributed_config {
namespace {

Result<std::vector<std::string>> named_nodes(const Options& options) {
  if (options.hosts) return hostfile::expand_hosts(*options.hosts, "--hosts");
  const auto& file = options.hostfile ? options.hostfile : options.check;
  if (file) {
    // Its device matrix may be what is to be replaced: ring is the backend that does not look at it.
    auto read = hostfile::read(*file, {hostfile::Backend::ring});
    if (!read) return fail(read.error());
    std::vector<std::string> nodes;
    for (const auto& host : read->hostfile.hosts) nodes.push_back(host.ssh);
    return nodes;
  }
  if (options.from_probes) return std::vector<std::string>{};
  return std::vector<std::string>{"127.0.0.1"};
}

}  // namespace

Result<std::vector<std::string>> chosen_nodes(const Options& options) {
  auto nodes = named_nodes(options);
  if (!nodes) return nodes;
  if (nodes->empty() && options.from_probes) {
    auto all = tbdiscovery::read_probes(*options.from_probes, {});
    if (!all) return fail(all.error());
    for (const auto& node : *all) nodes->push_back(node.node);
  }
  for (const auto& list : options.exclude) {
    const auto excluded = hostfile::expand_hosts(list, "--exclude");
    if (!excluded) return fail(excluded.error());
    nodes = hostfile::exclude_hosts(*std::move(nodes), *excluded);
    if (!nodes) return nodes;
  }
  std::vector<std::string> once;
  for (const auto& node : *nodes) {
    if (std::find(once.begin(), once.end(), node) == once.end()) once.push_back(node);
  }
  if (once.empty()) return fail({ErrorCode::usage, "--exclude", "it leaves no host", "name fewer hosts"});
  return once;
}

}  // namespace jackal::distributed_config
