// jackal-bench: measures the library between the ranks of a job, or predicts it for a cluster not at hand.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "bench/command_line.hpp"
#include "bench/jackal_contender.hpp"
#include "bench/program.hpp"
#include "bench/simulate.hpp"
#include "bench/table.hpp"
#include "jackal/base/exit_code.hpp"
#include "jackal/base/file.hpp"

namespace {

using namespace jackal;
using namespace jackal::bench;

constexpr std::size_t kLargestFabric = 64 << 20;

int run_simulation(const Options& options) {
  const auto json = read_file(*options.simulate, kLargestFabric);
  if (!json) return end_with(json.error());
  const Simulation simulation = simulate(options, *json, *options.simulate);
  print("# predicted: " + title(options, simulation.ranks) + " on " + *options.simulate + "\n" +
        table_head());
  for (const Row& row : simulation.rows) print(table_line(row));
  if (options.explain) print("\n" + simulation.explanations);
  write_files(options, simulation.ranks, simulation.rows);
  return kExitOk;
}

int run(const std::vector<std::string>& args) {
  const auto options = parse_options(args);
  if (!options) return end_with(options.error());
  switch (options->action) {
    case Action::help:
      print(help_text());
      return kExitOk;
    case Action::version:
      print(version_text());
      return kExitOk;
    case Action::simulate:
      return run_simulation(*options);
    case Action::measure:
      break;
  }
  return with_group(*options, [&](Contender& contender) { return run_measurement(*options, contender); });
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const Failure& failure) {
    fmt::print(stderr, "jackal-bench: {}\n", failure.what());
    return bench::exit_code_for(failure.reason());
  } catch (const std::exception& exception) {
    return end_with(
        {ErrorCode::internal, "", exception.what(), "This is a bug in jackal-bench: please report it."});
  }
}
