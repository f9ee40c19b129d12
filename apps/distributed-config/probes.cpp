#include "distributed-config/probes.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "jackal/hostfile/hostlist.hpp"
#include "jackal/hostfile/reader.hpp"
#include "jackal/tbdiscovery/live_probe.hpp"

namespace jackal::distributed_config {
namespace {

using tbdiscovery::RawProbes;

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

std::optional<RawProbes> ask(const Options& options, const std::vector<std::string>& nodes) {
  remote::Loop loop;
  RawProbes probes;
  bool interrupted = false;
  std::set<std::string> notices;
  const bool tell = options.verbose || ::isatty(STDERR_FILENO) != 0;
  tbdiscovery::LiveProbeOptions live;
  live.nodes = nodes;
  live.transport = options.ssh;
  if (options.ssh_config) live.ssh_config = *options.ssh_config;
  tbdiscovery::LiveProbe probe(loop, std::move(live),
                               {[&](const std::string& node, const std::string& text) {
                                  if (tell) fmt::print(stderr, "{}: {}\n", node, text);
                                },
                                [&](const std::string& notice) {
                                  // One configuration serves many hosts: what it says is said once.
                                  if (notices.insert(notice).second)
                                    fmt::print(stderr, "distributed-config: {}\n", notice);
                                },
                                [&](RawProbes all) {
                                  probes = std::move(all);
                                  loop.stop();
                                }});
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    loop.on_signal(number, [&] {
      interrupted = true;
      probe.cancel();
    });
  }
  loop.run();
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::signal(number, SIG_DFL);
  if (interrupted) return std::nullopt;
  return probes;
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

Result<std::optional<RawProbes>> gather_probes(const Options& options,
                                               const std::vector<std::string>& nodes) {
  if (!options.from_probes) return ask(options, nodes);
  auto read = tbdiscovery::read_probes(*options.from_probes, nodes);
  if (!read) return fail(read.error());
  return *std::move(read);
}

}  // namespace jackal::distributed_config
