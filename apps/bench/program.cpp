#include "bench/program.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <new>

#include "bench/measure.hpp"
#include "bench/plot.hpp"
#include "bench/sizes.hpp"
#include "bench/table.hpp"
#include "cli/output.hpp"
#include "jackal/base/exit_code.hpp"
#include "jackal/base/file.hpp"

namespace jackal::bench {
namespace {

std::string details(const Options& options) {
  std::string text = ", transport " + options.transport.value_or("as JACKAL_TRANSPORT says");
  if (options.in_place) text += ", in place";
  if (options.buffers == Buffers::jackal) text += ", jackal::Buffer";
  if (options.rewrite) text += ", input rewritten before every call";
  if (options.pin) text += ", pinned";
  return text;
}

}  // namespace

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

std::string title(const Options& options, int ranks) {
  std::string text = name_of(options.operation);
  if (options.operation != Operation::barrier) text += " of " + name_of(options.dtype);
  if (reduces(options.operation)) text += " (" + name_of(options.reduction) + ")";
  return text + ", " + std::to_string(ranks) + (ranks == 1 ? " rank" : " ranks");
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

int run_measurement(const Options& options, Contender& contender) {
  std::vector<Row> rows;
  const Listener listener{
      [&](const Row& row) {
        rows.push_back(row);
        print(table_line(row));
      },
      [](const std::string& text) { print("\n" + text + (text.ends_with('\n') ? "" : "\n")); }};
  const bool speaks = contender.rank() == 0;
  if (speaks) print("# " + title(options, contender.size()) + details(options) + "\n" + table_head());
  bool right = false;
  try {
    right = measure(contender, options, listener);
  } catch (const std::bad_alloc&) {
    throw Failure(Reason::usage, "there is no memory for buffers of " + size_text(sizes_of(options).back()));
  }
  if (speaks) write_files(options, contender.size(), rows);
  if (right) return kExitOk;
  fmt::print(stderr, "jackal-bench: results are wrong; the last column says how many elements\n");
  return kExitFailed;
}

}  // namespace jackal::bench
