#include "distributed-config/options.hpp"

#include "cli/reading.hpp"
#include "distributed-config/command_line.hpp"

namespace jackal::distributed_config {
namespace {

using hostfile::Backend;

Result<Backend> planned_backend(const std::string& name) {
  const auto backend = cli::backend(name);
  if (!backend || (*backend != Backend::mpi && *backend != Backend::nccl)) return backend;
  return cli::usage("--backend", name + " finds its own ways and needs no plan",
                    "give launch --hosts and --backend " + name);
}

void read_values(cli::Reading& in, Options& out) {
  in.text("--hosts", out.hosts);
  in.text("--hostfile", out.hostfile);
  in.text("--ssh-config", out.ssh_config);
  in.text("--from-probes", out.from_probes);
  in.text("--save-probes", out.save_probes);
  in.text("--output-hostfile", out.output_hostfile);
  in.text("--check", out.check);
  in.text("--svg", out.svg);
  in.text("--report", out.report);
  in.choice("--ssh", out.ssh, {"libssh", "system"});
  in.choice("--over", out.request.over, {"thunderbolt", "ethernet"});
  in.set("--backend", out.request.backend, planned_backend);
  for (const std::string& text : in.every("--env")) {
    const auto pair = cli::variable(text);
    if (!pair && !in.error) in.error = pair.error();
    if (pair) out.request.envs.push_back(text);
  }
}

std::optional<Error> both(const cli::Reading& in, const std::string& flag, const std::string& other,
                          const std::string& what, const std::string& hint) {
  if (!in.has(flag) || !in.has(other)) return std::nullopt;
  return Error{ErrorCode::usage, flag, what, hint};
}

std::optional<Error> contradiction(const cli::Reading& in) {
  const std::string one = "give one of the two";
  if (auto error =
          both(in, "--hosts", "--hostfile", "a host file is given as well, which names the hosts too",
               "give one of --hosts and --hostfile; --exclude leaves hosts of a file out")) {
    return error;
  }
  if (in.has("--redact") && !in.has("--save-probes")) {
    return Error{ErrorCode::usage, "--redact", "it concerns saved probes, and none are saved",
                 "add --save-probes DIR, or leave it out"};
  }
  if (!in.has("--redact")) {
    if (auto error =
            both(in, "--save-probes", "--from-probes", "the probes come from files and are saved already",
                 "leave it out, or add --redact for a copy without names and addresses")) {
      return error;
    }
  }
  if (auto error =
          both(in, "--json", "--dot", "--dot is given as well, and both print to standard output", one)) {
    return error;
  }
  for (const char* flag :
       {"--output-hostfile", "--backend", "--env", "--allow-subset", "--dot", "--report"}) {
    if (auto error = both(in, flag, "--check", "nothing is planned where --check is given",
                          "leave " + std::string(flag) + " or --check out")) {
      return error;
    }
  }
  if (auto error = both(in, "--auto-setup", "--no-auto-setup", "--no-auto-setup is given as well", one))
    return error;
  for (const char* flag :
       {"--output-hostfile", "--backend", "--over", "--env", "--allow-subset", "--dot", "--json", "--svg",
        "--report", "--check", "--auto-setup", "--no-auto-setup", "--persist"}) {
    if (auto error = both(in, flag, "--undo", "--undo only restores what set-ups changed",
                          "leave " + std::string(flag) + " or --undo out")) {
      return error;
    }
  }
  for (const char* flag : {"--auto-setup", "--persist"}) {
    if (auto error = both(in, flag, "--check", "nothing is set up where --check is given",
                          "leave " + std::string(flag) + " or --check out")) {
      return error;
    }
  }
  for (const char* flag : {"--ssh", "--ssh-config", "--auto-setup", "--undo"}) {
    if (auto error = both(in, flag, "--from-probes", "nobody is connected to where --from-probes is given",
                          "leave " + std::string(flag) + " out")) {
      return error;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& args) {
  const auto line = cli::split_command_line(flag_table(), args);
  if (!line) return fail(line.error());
  cli::Reading in(*line);
  Options options;
  options.action = in.has("--help")      ? Action::help
                   : in.has("--version") ? Action::version
                   : in.has("--check")   ? Action::check
                   : in.has("--undo")    ? Action::undo
                                         : Action::plan;
  options.ignore_unreachable = in.has("--ignore-unreachable");
  options.request.auto_setup = in.has("--auto-setup");
  options.persist = in.has("--persist");
  options.request.allow_subset = in.has("--allow-subset");
  options.redact = in.has("--redact");
  options.json = in.has("--json");
  options.dot = in.has("--dot");
  options.verbose = in.has("--verbose");
  read_values(in, options);
  options.exclude = in.every("--exclude");
  if (in.error) return fail(*in.error);
  if (options.action == Action::help || options.action == Action::version) return options;
  if (const auto error = contradiction(in)) return fail(*error);
  return options;
}

std::string help_text() {
  return "Usage: distributed-config [flags]\n"
         "Finds out how machines are cabled, says what is wrong with it, plans a cluster and\n"
         "writes the host file that launch takes. The commands that set the links up are\n"
         "printed, ready to paste, or run with --auto-setup; --undo takes them back.\n" +
         cli::flags_text(flag_table()) +
         "\nExit code: 0 planned (and set up), and nothing blocks it; 1 no plan possible, or\n"
         "set-up or verification failed; 3 --check: they differ; 64 usage, 65 bad host file or\n"
         "probes, 69 host unreachable or lost, 70 internal, 74 output cannot be written,\n"
         "130 interrupted.\n"
         "\nExamples:\n"
         "  distributed-config --hosts mac[1-4] --output-hostfile hosts.json\n"
         "  distributed-config --hosts mac[1-4] --backend jaccl --json\n"
         "  distributed-config --check hosts.json\n"
         "\nmore: man distributed-config\n";
}

std::string version_text() { return "distributed-config " JACKAL_VERSION "\n"; }

}  // namespace jackal::distributed_config
