#include "distributed-config/command_line.hpp"

namespace jackal::distributed_config {

const cli::Table& flag_table() {
  static const cli::Table table = {
      "distributed-config",
      {
          {"Which machines",
           {
               {"--hosts", "LIST",
                "hosts: a,b or mac[1-4]; 127.0.0.1 and localhost are this machine, without SSH (default "
                "127.0.0.1)"},
               {"--hostfile", "FILE", "the hosts of a JSON host file; nothing else of it is used"},
               {"--exclude", "LIST", "leave these hosts out; may be repeated"},
               {"--ignore-unreachable", "", "go on without the hosts that do not answer"},
               {"--ssh-config", "FILE", "read this instead of ~/.ssh/config, as ssh -F"},
               {"--ssh", "WHICH", "libssh (default), or system: the installed ssh program"},
               {"--from-probes", "DIR", "read what the hosts said from DIR/HOST/; connect to nobody"},
               {"--save-probes", "DIR", "write what the hosts say to DIR/HOST/"},
               {"--redact", "",
                "save the probes without host and user names, serial numbers, UUIDs and addresses"},
           }},
          {"What to plan",
           {
               {"--over", "WHAT", "thunderbolt (default) or ethernet"},
               {"--backend", "NAME",
                "jaccl, jaccl-ring, ring or jackal (default: the best that the cabling allows)"},
               {"--env", "NAME=VALUE", "a variable for the host file; may be repeated"},
               {"--allow-subset", "", "a plan may leave hosts out"},
           }},
          {"What to do",
           {
               {"--auto-setup", "", "set the links up, and prove that they carry data"},
               {"--no-auto-setup", "", "change nothing, print the commands (the default)"},
               {"--persist", "", "the set-up outlasts a restart of the machines"},
               {"--undo", "", "restore what --auto-setup changed on these hosts, and end"},
           }},
          {"What comes out",
           {
               {"--output-hostfile", "FILE", "write the host file there"},
               {"--check", "HOSTFILE",
                "compare that host file with the cabling; exit with 3 when they differ"},
               {"--json", "", "print everything for programs"},
               {"--dot", "", "print the map alone, for Graphviz"},
               {"--svg", "FILE", "draw the map there"},
               {"--report", "FILE", "write all of it as one HTML page, for reading, phones and paper"},
               {"--verbose", "", "say what each host answers, and when"},
               {"--version", "", "print the version and end"},
               {"-h,--help", "", "print this and end"},
           }},
      },
      false,
      ""};
  return table;
}

}  // namespace jackal::distributed_config
