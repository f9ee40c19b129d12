// launch: starts a program on every host of a cluster and joins its input and output to this terminal.
#include <fcntl.h>
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cli/output.hpp"
#include "jackal/base/exit_code.hpp"
#include "jackal/hostfile/reader.hpp"
#include "jackal/remote/descriptor_limit.hpp"
#include "launch/dry_run.hpp"
#include "launch/job.hpp"
#include "launch/layout.hpp"
#include "launch/options.hpp"
#include "launch/outcome.hpp"
#include "launch/run_job.hpp"
#include "launch/surroundings.hpp"

namespace {

using namespace jackal;
using namespace jackal::launch;

/// A stream that was closed when we began must not become one of our own sockets. What takes its place
/// refuses what the stream is for, as a closed one would.
void occupy_standard_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);  // the lowest free number is this one
  }
}

int end_with(const Error& error) {
  const Outcome outcome = decide(error);
  for (const std::string& line : outcome.lines) fmt::print(stderr, "{}\n", line);
  return outcome.exit_code;
}

int print(const std::string& text) {
  const auto printed = cli::print(text);
  return printed ? kExitOk : end_with(printed.error());
}

Result<std::optional<hostfile::Hostfile>> read_hostfile(const Options& options) {
  if (!options.hostfile) return std::nullopt;
  auto read = hostfile::read(*options.hostfile, {options.backend});
  if (!read) return fail(read.error());
  for (const std::string& warning : read->warnings) fmt::print(stderr, "launch: {}\n", warning);
  return std::move(read->hostfile);
}

int show_dry_run(const Options& options, const Layout& layout) {
  const auto job = preview_job(options, layout);
  if (!job) return end_with(job.error());
  return print(options.json ? dry_run_json(*job) : dry_run_text(*job));
}

int run(const std::vector<std::string>& args) {
  auto options = parse_options(args);
  if (!options) return end_with(options.error());
  options->surroundings = look_around(options->command);
  switch (options->action) {
    case Action::help:
      return print(help_text());
    case Action::version:
      return print(version_text());
    case Action::print_python:
      return print(python_for(*options) + "\n");
    case Action::launch:
    case Action::dry_run:
      break;
  }
  const auto file = read_hostfile(*options);
  if (!file) return end_with(file.error());
  const auto layout = make_layout(*options, *file);
  if (!layout) return end_with(layout.error());
  for (const std::string& note : layout->notes) fmt::print(stderr, "launch: {}\n", note);
  return options->action == Action::dry_run ? show_dry_run(*options, *layout) : run_job(*options, *layout);
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_streams();
  leave_outer_job();
  remote::raise_descriptor_limit();
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& exception) {
    return end_with(
        {ErrorCode::internal, "", exception.what(), "This is a bug in launch: please report it."});
  }
}
