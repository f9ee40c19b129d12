// jackal-bench: measures the library between the ranks of a job, or predicts it for a cluster not at hand.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "bench/command_line.hpp"
#include "bench/failure.hpp"
#include "bench/measure.hpp"
#include "bench/plot.hpp"
#include "bench/simulate.hpp"
#include "bench/table.hpp"
#include "cli/output.hpp"
#include "jackal/base/exit_code.hpp"
#include "jackal/base/file.hpp"

namespace {

using namespace jackal;
using namespace jackal::bench;

constexpr std::size_t kLargestFabric = 64 << 20;

int exit_code_for(Reason reason) {
  switch (reason) {
    case Reason::usage:
      return kExitUsage;
    case Reason::bad_input:
      return kExitBadInput;
    case Reason::no_group:
      return kExitUnreachable;
    case Reason::output:
      return kExitOutput;
    case Reason::internal:
      break;
  }
  return kExitInternal;
}

int end_with(const Error& error) {
  fmt::print(stderr, "jackal-bench: {}\n", error.text());
  return jackal::exit_code_for(error.code);
}

void print(const std::string& text) {
  if (const auto printed = cli::print(text); !printed) throw Failure(Reason::output, printed.error().text());
}

/// "all_reduce of float32 (sum), 4 ranks".
std::string title(const Options& options, int ranks) {
  std::string text = name_of(options.operation);
  if (options.operation != Operation::barrier) text += " of " + name_of(options.dtype);
  if (reduces(options.operation)) text += " (" + name_of(options.reduction) + ")";
  return text + ", " + std::to_string(ranks) + (ranks == 1 ? " rank" : " ranks");
}

std::string details(const Options& options) {
  std::string text = ", transport " + options.transport.value_or("as JACKAL_TRANSPORT says");
  if (options.in_place) text += ", in place";
  if (options.buffers == Buffers::jackal) text += ", jackal::Buffer";
  if (options.rewrite) text += ", input rewritten before every call";
  if (options.pin) text += ", pinned";
  return text;
}

void write_files(const Options& options, int ranks, const std::vector<Row>& rows) {
  const auto write = [](const std::string& path, const std::string& text) {
    if (const auto written = write_file(path, text); !written) {
      throw Failure(Reason::output, written.error().text());
    }
  };
  if (options.json) write(*options.json, json_text(rows));
  if (options.plot) write(*options.plot, plot_rows(title(options, ranks), rows));
}

int run_measurement(const Options& options) {
  int ranks = 0;
  std::vector<Row> rows;
  const Listener listener{
      [&](int size) {
        ranks = size;
        print("# " + title(options, ranks) + details(options) + "\n" + table_head());
      },
      [&](const Row& row) {
        rows.push_back(row);
        print(table_line(row));
      },
      [&](const std::string& text) { print("\n" + text + (text.ends_with('\n') ? "" : "\n")); }};
  const bool right = measure(options, listener);
  if (ranks > 0) write_files(options, ranks, rows);
  if (right) return kExitOk;
  fmt::print(stderr, "jackal-bench: results are wrong; the last column says how many elements\n");
  return kExitFailed;
}

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
  return run_measurement(*options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const Failure& failure) {
    fmt::print(stderr, "jackal-bench: {}\n", failure.what());
    return exit_code_for(failure.reason());
  } catch (const std::exception& exception) {
    return end_with(
        {ErrorCode::internal, "", exception.what(), "This is a bug in jackal-bench: please report it."});
  }
}
