#include "ssh_by_hand.hpp"

#include "jackal/remote/quote.hpp"

namespace jackal::remote {

std::string ssh_by_hand(const NodeOptions& options) {
  std::vector<std::string> argv{"ssh"};
  if (options.ssh_config) argv.insert(argv.end(), {"-F", options.ssh_config->string()});
  argv.push_back(options.name);
  return quote(argv);
}

std::string check_by_hand(const NodeOptions& options) {
  return "Check with: " + ssh_by_hand(options) + " true";
}

}  // namespace jackal::remote
