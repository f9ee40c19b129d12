// distributed-config: from a pile of cables to a host file.
#include <exception>
#include <string>
#include <vector>

#include "cli/output.hpp"
#include "distributed-config/options.hpp"
#include "distributed-config/run.hpp"
#include "jackal/base/exit_code.hpp"

namespace {

using namespace jackal;
using namespace jackal::distributed_config;

int print(const std::string& text) {
  const auto printed = cli::print(text);
  return printed ? kExitOk : end_with(printed.error());
}

int start(const std::vector<std::string>& args) {
  const auto options = parse_options(args);
  if (!options) return end_with(options.error());
  switch (options->action) {
    case Action::help:
      return print(help_text());
    case Action::version:
      return print(version_text());
    case Action::plan:
    case Action::check:
    case Action::undo:
      break;
  }
  return run(*options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return start({argv + 1, argv + argc});
  } catch (const std::exception& exception) {
    return end_with({ErrorCode::internal, "", exception.what(),
                     "This is a bug in distributed-config: please report it."});
  }
}
