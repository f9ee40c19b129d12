#include "launch/job.hpp"

#include <fmt/format.h>

#include "jackal/hostfile/writer.hpp"
#include "launch/address.hpp"
#include "launch/environment.hpp"
#include "launch/mpi.hpp"
#include "launch/ports.hpp"
#include "launch/reach.hpp"

namespace jackal::launch {
namespace {

Result<std::string> coordinator_of(const Layout& layout, const NodeFacts& facts, const std::string& address,
                                   std::set<std::uint16_t> taken, const JobIdentity& identity) {
  if (!identity.port_seed) return with_port(address, "<port>");
  taken.insert(facts.busy_ports.begin(), facts.busy_ports.end());
  return random_port(*identity.port_seed, taken, layout.hosts[layout.ranks[0].host].ssh)
      .map([&](std::uint16_t port) { return with_port(address, std::to_string(port)); });
}

/// What only this rank has, last so that nothing overrides it.
remote::Environment rank_variables(const Options& options, const Layout& layout, std::size_t index) {
  const Rank& rank = layout.ranks[index];
  remote::Environment env{{"JACKAL_RANK", std::to_string(index)},
                          {"JACKAL_LOCAL_RANK", std::to_string(rank.local_rank)},
                          {"JACKAL_LOCAL_SIZE", std::to_string(rank.local_size)}};
  if (layout.backend == hostfile::Backend::nccl) {
    const std::size_t repeat = static_cast<std::size_t>(options.repeat);
    env.emplace_back("CUDA_VISIBLE_DEVICES", std::to_string(index % repeat));
  }
  env.emplace_back("MLX_RANK", std::to_string(index));
  return env;
}

/// The entries of the user that a file of ours would override anyway are dropped, with a note.
remote::Environment without_file_variables(remote::Environment users, const std::vector<remote::File>& files,
                                           std::vector<std::string>& notes) {
  for (const remote::File& file : files) {
    const auto same = [&](const auto& entry) { return entry.first == file.variable; };
    if (std::erase_if(users, same) != 0) {
      notes.push_back(
          fmt::format("{} is launch's to set: the value given for it is not used", file.variable));
    }
  }
  return users;
}

RankJob rank_job(const Options& options, const Layout& layout, std::size_t index) {
  RankJob job;
  job.rank = static_cast<int>(index);
  job.host = layout.ranks[index].host;
  job.command.argv = command_words(options);
  job.command.directory = options.cwd.value_or(options.surroundings.directory);
  job.command.terminal = options.pty && index == 0;
  job.directory_required = options.cwd.has_value();
  return job;
}

}  // namespace

Result<Job> plan_job(const Options& options, const Layout& layout, const std::vector<NodeFacts>& facts,
                     const JobIdentity& identity) {
  if (layout.through_mpirun()) return plan_mpi_job(options, layout, facts, identity);
  if (facts.size() != layout.hosts.size()) {
    return fail({ErrorCode::internal, "plan_job", "the facts of a host are missing", ""});
  }
  Job job;
  job.backend = layout.backend;
  job.size = layout.size();
  job.notes = layout.notes;
  for (const Host& host : layout.hosts) job.hosts.push_back(host.ssh);

  const Result<Reach> reach = find_addresses(layout, facts);
  if (!reach) return fail(reach.error());
  job.notes.insert(job.notes.end(), reach->notes.begin(), reach->notes.end());
  const Result<BackendEnvironment> mlx = backend_environment(options, layout, facts, *reach, job.notes);
  if (!mlx) return fail(mlx.error());
  const Result<std::string> coordinator =
      coordinator_of(layout, facts[layout.ranks[0].host], reach->coordinator, mlx->ports_of_rank_0, identity);
  if (!coordinator) return fail(coordinator.error());
  job.coordinator = *coordinator;

  hostfile::Hostfile addressed = layout.hostfile;
  for (std::size_t index = 0; index < layout.ranks.size(); ++index) {
    addressed.hosts[index].ips = reach->ips[index];
  }
  std::vector<remote::File> files = mlx->files;
  files.push_back({"jackal_hostfile.json", "JACKAL_HOSTFILE", hostfile::to_json(addressed)});
  files.push_back({"jackal_secret", kSecretVariable, identity.secret});

  const remote::Environment users = without_file_variables(layout.env, files, job.notes);
  std::vector<std::string> repeated;  // the notes of rank 0 hold for every rank
  for (std::size_t index = 0; index < layout.ranks.size(); ++index) {
    RankJob rank = rank_job(options, layout, index);
    remote::Environment ours{{"JACKAL_JOB", identity.job_id},
                             {"JACKAL_COORDINATOR", job.coordinator},
                             {"JACKAL_SIZE", std::to_string(job.size)}};
    ours.insert(ours.end(), mlx->variables.begin(), mlx->variables.end());
    const remote::Environment own = rank_variables(options, layout, index);
    ours.insert(ours.end(), own.begin(), own.end());
    rank.command.environment = merged_environment(options, users, ours, index == 0 ? job.notes : repeated);
    rank.command.files = files;
    job.ranks.push_back(std::move(rank));
  }
  return job;
}

}  // namespace jackal::launch
