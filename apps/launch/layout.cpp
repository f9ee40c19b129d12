#include "launch/layout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "jackal/hostfile/hostlist.hpp"
#include "jackal/remote/node.hpp"
#include "launch/address.hpp"

namespace jackal::launch {
namespace {

using hostfile::Backend;

bool is_jaccl(Backend backend) { return backend == Backend::jaccl || backend == Backend::jaccl_ring; }

tl::unexpected<Error> usage(std::string where, std::string what, std::string hint) {
  return fail({ErrorCode::usage, std::move(where), std::move(what), std::move(hint)});
}

Result<std::vector<hostfile::Host>> named_hosts(const std::string& list) {
  const Result<std::vector<std::string>> names = hostfile::expand_hosts(list, "--hosts");
  if (!names) return fail(names.error());
  std::vector<hostfile::Host> hosts;
  for (const std::string& name : *names) {
    hostfile::Host host;
    host.ssh = name;
    if (const std::string ip = without_brackets(name); address_family(ip) != AddressFamily::none) {
      host.ips = {ip};
    }
    hosts.push_back(std::move(host));
  }
  return hosts;
}

/// row[j] for every j in `kept`; what a short row lacks is empty, for a matrix that nobody uses is not
/// checked.
template <class Cell>
std::vector<Cell> pick_cells(const std::vector<Cell>& row, const std::vector<std::size_t>& kept) {
  std::vector<Cell> picked;
  if (row.empty()) return picked;
  for (const std::size_t index : kept) picked.push_back(index < row.size() ? row[index] : Cell{});
  return picked;
}

/// The hosts at `kept`, in that order, with the matrix cut or repeated to match.
std::vector<hostfile::Host> pick(const std::vector<hostfile::Host>& hosts,
                                 const std::vector<std::size_t>& kept) {
  std::vector<hostfile::Host> picked;
  for (const std::size_t from : kept) {
    hostfile::Host host = hosts[from];
    host.rdma = pick_cells(hosts[from].rdma, kept);
    host.links = pick_cells(hosts[from].links, kept);
    picked.push_back(std::move(host));
  }
  return picked;
}

Result<std::vector<std::size_t>> without_excluded(const std::vector<hostfile::Host>& hosts,
                                                  const std::vector<std::string>& lists) {
  std::vector<std::string> excluded;
  for (const std::string& list : lists) {
    const Result<std::vector<std::string>> names = hostfile::expand_hosts(list, "--exclude");
    if (!names) return fail(names.error());
    excluded.insert(excluded.end(), names->begin(), names->end());
  }
  std::vector<std::string> all;
  for (const hostfile::Host& host : hosts) all.push_back(host.ssh);
  const Result<std::vector<std::string>> left = hostfile::exclude_hosts(all, excluded);
  if (!left) return fail(left.error());
  if (left->empty()) return usage("--exclude", "it leaves no host to run on", "leave fewer hosts out");
  std::vector<std::size_t> kept;
  for (std::size_t index = 0; index < all.size(); ++index) {
    if (std::find(left->begin(), left->end(), all[index]) != left->end()) kept.push_back(index);
  }
  return kept;
}

/// jaccl needs a device for every pair, jaccl-ring for neighbours only.
Result<void> check_devices(Backend backend, const std::vector<hostfile::Host>& hosts) {
  const std::size_t size = hosts.size();
  for (std::size_t from = 0; from < size; ++from) {
    for (std::size_t to = 0; to < size; ++to) {
      const bool neighbours = (from + 1) % size == to || (to + 1) % size == from;
      if (from == to || (backend == Backend::jaccl_ring && !neighbours)) continue;
      if (to < hosts[from].rdma.size() && !hosts[from].rdma[to].empty()) continue;
      return fail({ErrorCode::bad_input, fmt::format("--backend {}", hostfile::to_string(backend)),
                   fmt::format("no RDMA device is listed from {} to {}", hosts[from].ssh, hosts[to].ssh),
                   "distributed-config writes a host file with the devices; --backend ring needs none"});
    }
  }
  return {};
}

Result<void> check_backend(const Options& options, Backend backend, bool from_file) {
  if (is_jaccl(backend) && !from_file) {
    return usage(fmt::format("--backend {}", hostfile::to_string(backend)),
                 "it needs the RDMA devices of a host file, and there is none",
                 "give --hostfile FILE; distributed-config writes one");
  }
  if (is_jaccl(backend) && options.repeat > 1) {
    return usage("--repeat-hosts",
                 fmt::format("backend {} has one rank for each entry of the host file, whose devices join "
                             "entries",
                             hostfile::to_string(backend)),
                 "leave the flag out, or use --backend ring or jackal");
  }
  if (backend == Backend::mpi && options.pty) {
    return usage("--pty", "with backend mpi the ranks belong to mpirun, which gives them no terminal",
                 "leave --pty out, or use another backend");
  }
  const bool spaced = options.ssh_config && options.ssh_config->find_first_of(" \t\n") != std::string::npos;
  if (backend == Backend::mpi && spaced) {
    return usage("--ssh-config", "mpirun cannot take a file name with spaces",
                 "copy or link the file to a name without");
  }
  return {};
}

std::vector<std::string> idle_flags(const Options& options, Backend backend) {
  std::vector<std::string> notes;
  const auto idle = [&](bool given, std::string_view flag, bool used) {
    if (given && !used) {
      notes.push_back(fmt::format("{} has no effect with backend {}", flag, hostfile::to_string(backend)));
    }
  };
  idle(options.starting_port.has_value(), "--starting-port", backend == Backend::ring || is_jaccl(backend));
  idle(options.connections_per_ip != 1, "--connections-per-ip", backend == Backend::ring);
  idle(options.nccl_port.has_value(), "--nccl-port", backend == Backend::nccl);
  idle(!options.mpi_args.empty(), "--mpi-arg", backend == Backend::mpi);
  return notes;
}

void place_ranks(Layout& layout) {
  for (const hostfile::Host& entry : layout.hostfile.hosts) {
    const bool here = remote::is_this_machine(entry.ssh);
    const auto same = [&](const Host& host) { return here ? host.this_machine : host.ssh == entry.ssh; };
    auto host = std::find_if(layout.hosts.begin(), layout.hosts.end(), same);
    if (host == layout.hosts.end()) host = layout.hosts.insert(host, Host{entry.ssh, here, {}});
    layout.ranks.push_back(
        {static_cast<std::size_t>(host - layout.hosts.begin()), static_cast<int>(host->ranks.size()), 0});
    host->ranks.push_back(layout.size() - 1);
  }
  for (Rank& rank : layout.ranks) rank.local_size = static_cast<int>(layout.hosts[rank.host].ranks.size());
}

Result<remote::Environment> merged_env(const std::vector<std::string>& file,
                                       const remote::Environment& flags) {
  remote::Environment env;
  for (const std::string& text : file) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail({ErrorCode::bad_input, "--hostfile", fmt::format("'{}' in envs is no NAME=VALUE", text),
                   "write \"NAME=VALUE\""});
    }
    env.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  env.insert(env.end(), flags.begin(), flags.end());
  return env;
}

}  // namespace

Result<Layout> make_layout(const Options& options, const std::optional<hostfile::Hostfile>& file) {
  Layout layout;
  layout.backend = options.backend.value_or(file ? file->backend.value_or(Backend::ring) : Backend::ring);
  if (const auto checked = check_backend(options, layout.backend, file.has_value()); !checked) {
    return fail(checked.error());
  }
  Result<std::vector<hostfile::Host>> entries = std::vector<hostfile::Host>{};
  if (file) {
    entries = file->hosts;
  } else {
    entries = named_hosts(options.hosts.value_or("127.0.0.1"));
    layout.ips_are_named = true;
  }
  if (!entries) return fail(entries.error());
  const Result<std::vector<std::size_t>> kept = without_excluded(*entries, options.exclude);
  if (!kept) return fail(kept.error());
  std::vector<std::size_t> order;
  for (const std::size_t index : *kept) {
    order.insert(order.end(), static_cast<std::size_t>(options.repeat), index);
  }
  layout.hostfile.hosts = pick(*entries, order);
  layout.hostfile.backend = layout.backend;
  if (file) layout.hostfile.extras = file->extras;
  if (is_jaccl(layout.backend)) {
    if (const auto checked = check_devices(layout.backend, layout.hostfile.hosts); !checked) {
      return fail(checked.error());
    }
  }
  Result<remote::Environment> env = merged_env(file ? file->envs : std::vector<std::string>{}, options.env);
  if (!env) return fail(env.error());
  layout.env = *std::move(env);
  layout.notes = idle_flags(options, layout.backend);
  place_ranks(layout);
  return layout;
}

}  // namespace jackal::launch
