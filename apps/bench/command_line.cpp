#include "bench/command_line.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "bench/sizes.hpp"
#include "cli/nearest.hpp"
#include "cli/reading.hpp"
#include "jackal/base/text.hpp"

namespace jackal::bench {
namespace {

constexpr int kMostIterations = 10'000'000;
constexpr int kMostRanks = 4096;
constexpr std::uint64_t kLargestSize = std::uint64_t{1} << 40;
constexpr double kLongestSeconds = 86'400;

const cli::Table& flag_table() {
  static const cli::Table table = {
      "jackal-bench",
      {
          {"What to measure",
           {
               {"-b,--min-bytes", "SIZE", "first size: 8, 64K, 1M (default 8)"},
               {"-e,--max-bytes", "SIZE", "last size (default 128M)"},
               {"-f,--factor", "N", "from one size to the next (default 2)"},
               {"--sizes", "LIST", "these sizes instead, as in 8,64K,1M"},
               {"-d,--dtype", "TYPE", "of the elements (default float32)"},
               {"-o,--op", "NAME",
                "of reductions: sum (default), product, min, max, bit_and, bit_or or average"},
               {"-r,--root", "RANK", "of broadcast, reduce, gather and scatter (default 0)"},
               {"--in-place", "", "the result takes the input's place"},
               {"--buffers", "KIND", "ordinary memory (default), or jackal: the library's own"},
               {"--rewrite", "", "write the input before every call, as programs do; not timed"},
           }},
          {"How it is carried out",
           {
               {"--transport", "NAME", "auto, shm, tcp or verbs (default: as JACKAL_TRANSPORT says)"},
               {"--algorithm", "NAME", "such as ring (default: what the library takes to be fastest)"},
               {"--pin", "", "keep every rank on a core of its own, as far as there are cores"},
           }},
          {"How long",
           {
               {"-n,--iters", "N", "timed calls a size (default: as many as --seconds holds)"},
               {"--seconds", "S", "of timed calls a size (default 0.5)"},
               {"-w,--warmup", "N", "calls before (default 5)"},
               {"--check", "", "verify the results, outside of the time taken (the default)"},
               {"--no-check", "", "do not"},
           }},
          {"What comes out",
           {
               {"--json", "FILE", "write the rows there"},
               {"--plot", "FILE", "draw times and bandwidths there, as SVG"},
               {"--explain", "", "say how the library chooses the algorithm, size by size"},
               {"--simulate", "FABRIC",
                "predict every algorithm's time on the cluster that this JSON file describes; nothing is "
                "run"},
               {"--version", "", "print the version and end"},
               {"-h,--help", "", "print this and end"},
           }},
      },
      false,
      "",
      "OP"};
  return table;
}

std::string list_of(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// The place of `word` among `words`.
Result<std::size_t> place_in(const std::vector<std::string>& words, std::string_view flag,
                             const std::string& word, const std::string& kind) {
  const auto found = std::find(words.begin(), words.end(), word);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  const auto near = cli::nearest(word, words);
  return cli::usage(flag, "'" + word + "' is no " + kind,
                    near ? "did you mean " + *near + "?" : "it is one of " + list_of(words));
}

Result<int> whole_number(std::string_view flag, const std::string& text, int least, int most) {
  const auto number = parse_integer<int>(text);
  if (number && *number >= least && *number <= most) return *number;
  return cli::usage(
      flag, "'" + text + "' is no whole number from " + std::to_string(least) + " to " + std::to_string(most),
      "give one, as in " + std::string(flag) + " " + std::to_string(std::max(least, 2)));
}

Result<std::uint64_t> size(std::string_view flag, const std::string& text) {
  const auto bytes = parse_size(text);
  if (bytes && *bytes <= kLargestSize) return *bytes;
  return cli::usage(flag, "'" + text + "' is no size from 1 to 1024G",
                    "give bytes, or a number with K, M or G, as in 64K");
}

/// In ascending order, without repetitions.
Result<std::vector<std::uint64_t>> sizes(const std::string& text) {
  std::vector<std::uint64_t> list;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    const auto one = size("--sizes", text.substr(start, comma - start));
    if (!one) return fail(one.error());
    list.push_back(*one);
    start = comma + 1;
  }
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

Result<double> seconds(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (error == std::errc{} && stopped == end && value > 0 && value <= kLongestSeconds) return value;
  return cli::usage("--seconds", "'" + text + "' is no time in seconds above 0",
                    "give one, as in --seconds 0.5");
}

void read_numbers(cli::Reading& in, Options& out) {
  in.set("--min-bytes", out.min_bytes, [](const std::string& text) { return size("--min-bytes", text); });
  in.set("--max-bytes", out.max_bytes, [](const std::string& text) { return size("--max-bytes", text); });
  in.set("--factor", out.factor,
         [](const std::string& text) { return whole_number("--factor", text, 2, 1 << 30); });
  in.set("--sizes", out.sizes, sizes);
  in.set("--root", out.root,
         [](const std::string& text) { return whole_number("--root", text, 0, kMostRanks - 1); });
  in.set("--iters", out.iterations,
         [](const std::string& text) { return whole_number("--iters", text, 1, kMostIterations); });
  in.set("--warmup", out.warmup,
         [](const std::string& text) { return whole_number("--warmup", text, 0, kMostIterations); });
  in.set("--seconds", out.seconds, seconds);
}

void read_words(cli::Reading& in, Options& out) {
  in.set("--dtype", out.dtype,
         [](const std::string& text) { return place_in(element_names(), "--dtype", text, "element type"); });
  in.set("--op", out.reduction,
         [](const std::string& text) { return place_in(reduction_names(), "--op", text, "reduction"); });
  in.choice("--buffers", out.buffers, {"ordinary", "jackal"});
  static const std::vector<std::string> kTransports = {"auto", "shm", "tcp", "verbs"};
  in.set("--transport", out.transport, [](const std::string& text) -> Result<std::string> {
    return place_in(kTransports, "--transport", text, "transport").map([&](std::size_t) { return text; });
  });
  std::optional<std::string> algorithm;
  in.text("--algorithm", algorithm);
  out.algorithm = algorithm.value_or("");
  in.text("--json", out.json);
  in.text("--plot", out.plot);
  in.text("--simulate", out.simulate);
}

Result<Operation> operation_of(const std::vector<std::string>& operands) {
  if (operands.empty()) {
    return cli::usage("", "no operation to measure",
                      "jackal-bench OP [flags]; OP is one of " + list_of(operation_names()));
  }
  if (operands.size() > 1) {
    return cli::usage(operands[1], "is one operation too many", "one run measures one of them");
  }
  return place_in(operation_names(), "", operands[0], "operation").map([](std::size_t place) {
    return static_cast<Operation>(place);
  });
}

std::optional<Error> refused(const std::string& flag, const std::string& what, const std::string& hint) {
  return Error{ErrorCode::usage, flag, what, hint};
}

/// What a flag asks of an operation that does not have it.
std::optional<Error> not_of_operation(const cli::Reading& in, const Options& options) {
  const Operation operation = options.operation;
  const std::string& name = name_of(operation);
  if (in.has("--op") && !reduces(operation)) {
    return refused("--op", name + " reduces nothing", "leave it out");
  }
  if (reduces(operation) && !defined_for(options.reduction, options.dtype)) {
    return refused("--op", name_of(options.reduction) + " of " + name_of(options.dtype) + " does not exist",
                   "jackal-bench(1) has the table of what does");
  }
  if (in.has("--root") && !has_root(operation))
    return refused("--root", name + " has no root", "leave it out");
  if (options.in_place && !has_in_place(operation)) {
    return refused("--in-place", name + " has one buffer only, or needs both", "leave it out");
  }
  if (operation == Operation::sendrecv && (options.explain || !options.algorithm.empty())) {
    return refused(options.explain ? "--explain" : "--algorithm", "sendrecv has no algorithms to choose from",
                   "leave it out");
  }
  if (operation == Operation::barrier) {
    for (const char* flag : {"--min-bytes", "--max-bytes", "--factor", "--sizes", "--dtype", "--buffers",
                             "--rewrite", "--plot", "--check"}) {
      if (in.has(flag)) return refused(flag, "a barrier moves no bytes", "leave it out");
    }
  }
  return std::nullopt;
}

std::optional<Error> contradiction(const cli::Reading& in, const Options& options) {
  if (options.min_bytes > options.max_bytes) {
    return refused("--min-bytes", "the first size is larger than the last",
                   "give --max-bytes " + std::to_string(options.min_bytes) + " or more");
  }
  for (const char* flag : {"--min-bytes", "--max-bytes", "--factor"}) {
    if (in.has("--sizes") && in.has(flag)) {
      return refused(flag, "--sizes names every size already", "give either");
    }
  }
  if (in.has("--check") && in.has("--no-check")) {
    return refused("--check", "--no-check is given as well", "give one of the two");
  }
  if (options.iterations && in.has("--seconds")) {
    return refused("--seconds", "--iters says already how long a size takes", "give one of the two");
  }
  if (options.action != Action::simulate) return std::nullopt;
  for (const char* flag : {"--op", "--in-place", "--buffers", "--rewrite", "--transport", "--pin", "--iters",
                           "--seconds", "--warmup", "--check", "--no-check"}) {
    if (in.has(flag)) return refused(flag, "nothing is run where --simulate is given", "leave it out");
  }
  if (options.operation == Operation::sendrecv) {
    return refused("--simulate", "sendrecv has no algorithms to predict", "take another operation");
  }
  return std::nullopt;
}

Action action_of(const cli::Reading& in) {
  if (in.has("--help")) return Action::help;
  if (in.has("--version")) return Action::version;
  return in.has("--simulate") ? Action::simulate : Action::measure;
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& args) {
  const auto line = cli::split_command_line(flag_table(), args);
  if (!line) return fail(line.error());
  cli::Reading in(*line);
  Options options;
  options.action = action_of(in);
  if (options.action == Action::help || options.action == Action::version) return options;
  const auto operation = operation_of(line->operands);
  if (!operation) return fail(operation.error());
  options.operation = *operation;
  options.in_place = in.has("--in-place");
  options.rewrite = in.has("--rewrite");
  options.pin = in.has("--pin");
  options.check = !in.has("--no-check");
  options.explain = in.has("--explain");
  read_numbers(in, options);
  read_words(in, options);
  if (in.error) return fail(*in.error);
  if (const auto error = not_of_operation(in, options)) return fail(*error);
  if (const auto error = contradiction(in, options)) return fail(*error);
  return options;
}

std::string help_text() {
  return "Usage: jackal-bench OP [flags]\n"
         "Measures a collective operation between the ranks that launch started, or alone.\n"
         "OP: all_reduce, reduce_scatter, all_gather, broadcast, reduce, gather, scatter,\n"
         "all_to_all, barrier or sendrecv.\n" +
         cli::flags_text(flag_table()) +
         "\nExit code: 0 done and all results right, 1 a wrong result; 64 usage, 65 bad\n"
         "fabric file, 69 no group of ranks, or it broke, 70 internal, 74 output cannot be\n"
         "written.\n"
         "\nExamples:\n"
         "  launch -n 4 -- jackal-bench all_reduce\n"
         "  launch -n 2 -- jackal-bench all_gather -e 1G --json rows.json\n"
         "  jackal-bench all_reduce --simulate ring4.json --plot ring4.svg\n"
         "\nmore: man jackal-bench\n";
}

std::string version_text() { return "jackal-bench " JACKAL_VERSION "\n"; }

}  // namespace jackal::bench
