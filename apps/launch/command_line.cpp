#include "launch/command_line.hpp"

namespace jackal::launch {

const cli::Table& flag_table() {
  static const cli::Table table = {
      "launch",
      {
          {"Where to run",
           {
               {"--hosts", "LIST",
                "hosts in rank order: a,b or mac[1-4]; 127.0.0.1 and localhost are this machine, without SSH "
                "(default 127.0.0.1)"},
               {"--hostfile", "FILE", "hosts, addresses and devices from a JSON host file"},
               {"--exclude", "LIST", "leave these hosts out; may be repeated"},
               {"-n,--repeat-hosts", "N", "ranks on every host, in the order a a b b (default 1)"},
               {"--ssh-config", "FILE", "read this instead of ~/.ssh/config, as ssh -F"},
               {"--ssh", "WHICH", "libssh (default), or system: the installed ssh program"},
           }},
          {"What to run",
           {
               {"--env", "NAME=VALUE",
                "set a variable for every rank; may be repeated, beats the host file's"},
               {"--cwd", "DIR",
                "run in this directory of every node, which must exist (default: the current one where it "
                "exists)"},
               {"--python", "EXE", "run the command with this interpreter"},
               {"--print-python", "", "print the interpreter that a script gets, and end"},
               {"--stdin", "WHO", "who gets standard input: all (default) or none"},
               {"--pty", "", "give rank 0 a terminal"},
           }},
          {"How ranks find each other",
           {
               {"--backend", "NAME",
                "ring, mpi, nccl, jaccl, jaccl-ring or jackal (default: the host file's, else ring)"},
               {"-p,--starting-port", "PORT",
                "first port of ring, or the coordinator's of jaccl (default 32323, or one near it when "
                "taken)"},
               {"--connections-per-ip", "N", "connections for every address, with ring (default 1)"},
               {"--nccl-port", "PORT", "rank 0's port, with nccl (default 12345, or one near it when taken)"},
               {"--mpi-arg", "WORDS", "more words for mpirun, split as a shell would; may be repeated"},
           }},
          {"How it ends",
           {
               {"--grace", "SECONDS", "between TERM and KILL when ranks are stopped (default 5)"},
               {"--timeout", "SECONDS", "stop the job after this long and exit with 124"},
           }},
          {"What is shown",
           {
               {"--dry-run", "", "print each rank's host, environment, files and command; connect to nobody"},
               {"--json", "", "with --dry-run: for programs"},
               {"--verbose", "", "say what happens; make the backend say it too"},
               {"--version", "", "print the version and end"},
               {"-h,--help", "", "print this and end"},
           }},
      },
      true,
      "--mpi-arg"};
  return table;
}

}  // namespace jackal::launch
