#include "launch/mpi.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "jackal/hostfile/writer.hpp"
#include "launch/address.hpp"
#include "launch/environment.hpp"
#include "launch/ports.hpp"

namespace jackal::launch {
namespace {

constexpr const char* kHostfileVariable = "JACKAL_MPI_HOSTFILE";

// What only the machine itself knows: where mpirun is, which Open MPI it is (5 splits lines unless told not
// to, 4 does not know the flag), and the library's file name, which differs between distributions and pip.
// "$@" is the rest of mpirun's command line.
constexpr const char* kScript = R"sh(
mpirun=$(command -v mpirun) || {
  echo "launch: backend mpi needs mpirun, and there is none in PATH=$PATH" >&2
  exit 127
}
case $("$mpirun" --version 2>&1) in
  *'(Open MPI) '[1-4].*) ;;
  *'Open MPI'*) set -- --output :raw "$@" ;;
  *)
    echo "launch: $mpirun is not Open MPI's, and MLX works with no other" >&2
    exit 64 ;;
esac
if [ -z "${MLX_MPI_LIBNAME+set}" ] && info=$(command -v ompi_info); then
  library=$({ ldd "$info" || otool -L "$info"; } 2>/dev/null |
    sed -n '/libmpi/{
      s/^[[:space:]]*//
      s/[[:space:]].*//
      s,^@rpath/,,
      p
      q
    }')
  if [ -n "$library" ]; then
    export MLX_MPI_LIBNAME="$library" DYLD_LIBRARY_PATH="${mpirun%/*/*}/lib"
    set -- -x MLX_MPI_LIBNAME -x DYLD_LIBRARY_PATH "$@"
  fi
fi
set -- --hostfile "$JACKAL_MPI_HOSTFILE" "$@"
unset JACKAL_MPI_HOSTFILE
exec "$mpirun" "$@"
)sh";

/// "host slots=n" lines. mpirun takes the ranks in the order of the lines: a a b b.
std::string slots(const Layout& layout) {
  std::string text;
  for (const Host& host : layout.hosts) text += fmt::format("{} slots={}\n", host.ssh, host.ranks.size());
  return text;
}

bool only_this_machine(const Layout& layout) {
  return std::all_of(layout.hosts.begin(), layout.hosts.end(),
                     [](const Host& host) { return host.this_machine; });
}

/// Rank 0's address as far as it is known without asking anybody; empty otherwise.
std::string known_address(const Layout& layout) {
  const std::vector<std::string>& ips = layout.hostfile.hosts[0].ips;
  if (only_this_machine(layout)) return ips.empty() ? "127.0.0.1" : ips.front();
  return ips.empty() || is_loopback(ips.front()) ? "" : ips.front();
}

Result<std::string> known_coordinator(const Layout& layout, const std::vector<NodeFacts>& facts,
                                      const JobIdentity& identity) {
  const std::string address = known_address(layout);
  if (address.empty()) return std::string();
  if (!identity.port_seed) return with_port(address, "<port>");
  std::set<std::uint16_t> taken;
  if (!facts.empty()) taken.insert(facts[0].busy_ports.begin(), facts[0].busy_ports.end());
  return random_port(*identity.port_seed, taken, layout.hosts[0].ssh).map([&](std::uint16_t port) {
    return with_port(address, std::to_string(port));
  });
}

/// The words after the ones that the script finds out: names to forward, the user's words, the command.
std::vector<std::string> mpirun_words(const Options& options, const remote::Command& command) {
  std::vector<std::string> words;
  if (options.cwd) words.insert(words.end(), {"--wdir", *options.cwd});
  const auto forward = [&](const std::string& name) { words.insert(words.end(), {"-x", name}); };
  for (const auto& entry : command.environment) forward(entry.first);
  for (const remote::File& file : command.files) {
    if (file.variable != kHostfileVariable) forward(file.variable);
  }
  words.insert(words.end(), options.mpi_args.begin(), options.mpi_args.end());
  words.push_back("--");
  const std::vector<std::string> program = command_words(options);
  words.insert(words.end(), program.begin(), program.end());
  return words;
}

}  // namespace

Result<Job> plan_mpi_job(const Options& options, const Layout& layout, const std::vector<NodeFacts>& facts,
                         const JobIdentity& identity) {
  Job job;
  job.backend = layout.backend;
  job.size = layout.size();
  job.through_mpirun = true;
  job.hosts = {"127.0.0.1"};
  job.notes = layout.notes;
  const Result<std::string> coordinator = known_coordinator(layout, facts, identity);
  if (!coordinator) return fail(coordinator.error());
  job.coordinator = *coordinator;

  RankJob mpirun;
  // Its rank is known to each process from Open MPI alone; MLX asks MPI for it.
  remote::Environment ours{{"JACKAL_JOB", identity.job_id}, {"JACKAL_SIZE", std::to_string(job.size)}};
  if (!job.coordinator.empty()) ours.emplace_back("JACKAL_COORDINATOR", job.coordinator);
  mpirun.command.environment = merged_environment(options, layout.env, ours, job.notes);
  mpirun.command.files.push_back({"mpi_hostfile", kHostfileVariable, slots(layout)});
  if (only_this_machine(layout)) {
    // Files of this machine: processes elsewhere could not read them.
    hostfile::Hostfile addressed = layout.hostfile;
    for (hostfile::Host& host : addressed.hosts) host.ips = {known_address(layout)};
    mpirun.command.files.push_back({"jackal_hostfile.json", "JACKAL_HOSTFILE", hostfile::to_json(addressed)});
    mpirun.command.files.push_back({"jackal_secret", kSecretVariable, identity.secret});
  }
  const std::vector<std::string> words = mpirun_words(options, mpirun.command);
  mpirun.command.argv = {"/bin/sh", "-c", kScript, "mpirun"};
  mpirun.command.argv.insert(mpirun.command.argv.end(), words.begin(), words.end());
  if (options.ssh_config) {
    // For mpirun itself, not for the ranks: Open MPI 4 and 5 read one each.
    for (const char* name : {"OMPI_MCA_plm_rsh_args", "PRTE_MCA_plm_ssh_args"}) {
      mpirun.command.environment.emplace_back(name, "-F " + *options.ssh_config);
    }
  }
  mpirun.command.directory = options.surroundings.directory;
  job.ranks.push_back(std::move(mpirun));
  return job;
}

}  // namespace jackal::launch
