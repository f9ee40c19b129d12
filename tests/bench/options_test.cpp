#include "bench/command_line.hpp"
#include "support/catch.hpp"

namespace jackal::bench {
namespace {

using Words = std::vector<std::string>;

Options options_of(const Words& args) {
  const auto options = parse_options(args);
  if (!options) FAIL(options.error().text());
  return *options;
}

Error refused(const Words& args) {
  const auto options = parse_options(args);
  if (options) FAIL("it went well");
  CHECK(options.error().code == ErrorCode::usage);
  return options.error();
}

}  // namespace

TEST_CASE("an operation alone is measured from 8 bytes to 128 MiB, doubling, verified") {
  const Options options = options_of({"all_reduce"});
  CHECK(options.action == Action::measure);
  CHECK(options.operation == Operation::all_reduce);
  CHECK(options.dtype == Element::float32);
  CHECK(options.min_bytes == 8);
  CHECK(options.max_bytes == 134217728);
  CHECK(options.factor == 2);
  CHECK(options.check);
  CHECK_FALSE(options.iterations);
  CHECK_FALSE(options.transport);
}

TEST_CASE("every flag reaches its option, wherever the operation stands") {
  const Options options =
      options_of({"-b",        "64",       "reduce",    "--max-bytes", "1M",  "-f",          "4",
                  "--dtype",   "bfloat16", "-o",        "product",     "-r",  "2",           "--in-place",
                  "--buffers", "jackal",   "--rewrite", "--transport", "tcp", "--algorithm", "ring",
                  "--pin",     "-n",       "7",         "-w",          "3",   "--no-check",  "--json",
                  "a",         "--plot",   "b",         "--explain"});
  CHECK(options.operation == Operation::reduce);
  CHECK(options.min_bytes == 64);
  CHECK(options.max_bytes == 1048576);
  CHECK(options.factor == 4);
  CHECK(options.dtype == Element::bfloat16);
  CHECK(options.reduction == Reduction::product);
  CHECK(options.root == 2);
  CHECK(options.in_place);
  CHECK(options.buffers == Buffers::jackal);
  CHECK(options.rewrite);
  CHECK(options.transport == "tcp");
  CHECK(options.algorithm == "ring");
  CHECK(options.pin);
  CHECK(options.iterations == 7);
  CHECK(options.warmup == 3);
  CHECK_FALSE(options.check);
  CHECK(options.json == "a");
  CHECK(options.plot == "b");
  CHECK(options.explain);
  CHECK(options_of({"all_gather", "--seconds", "0.25"}).seconds == Approx(0.25));
}

TEST_CASE("sizes may be named one by one, in any order") {
  CHECK(sizes_of(options_of({"all_reduce", "--sizes", "1M,8,64K,8"})) ==
        std::vector<std::uint64_t>{8, 65536, 1048576});
  for (const char* text : {"", "8,", ",8", "8,,9", "8;9"}) {
    INFO(text);
    CHECK(refused({"all_reduce", "--sizes", text}).where == "--sizes");
  }
  CHECK(refused({"all_reduce", "--sizes", "8", "--factor", "2"}).where == "--factor");
}

TEST_CASE("a mistyped word gets the nearest one that exists") {
  CHECK(refused({"allreduce"}).hint == "did you mean all_reduce?");
  CHECK(refused({"all_reduce", "--dtype", "flaot32"}).hint == "did you mean float32?");
  CHECK(refused({"all_reduce", "--op", "mix"}).hint == "did you mean min?");
  CHECK(refused({"all_reduce", "--iter-s", "5"}).hint == "did you mean --iters?");
  CHECK(refused({"all_reduce", "--transport", "smh"}).hint == "did you mean shm?");
  CHECK(refused({"frobnicate"}).hint.find("all_to_all") != std::string::npos);
}

TEST_CASE("one operation is needed, and one only") {
  CHECK(refused({}).what == "no operation to measure");
  CHECK(refused({"all_reduce", "barrier"}).where == "barrier");
}

TEST_CASE("what is no number, size or time is refused with its flag") {
  CHECK(refused({"barrier", "--iters", "0"}).where == "--iters");
  CHECK(refused({"all_reduce", "--factor", "1"}).where == "--factor");
  CHECK(refused({"all_reduce", "-b", "8KB"}).where == "--min-bytes");
  CHECK(refused({"all_reduce", "-e", "2048G"}).where == "--max-bytes");
  for (const char* text : {"0", "-1", "1e3", "nan", "inf", "", "0.5s"}) {
    INFO(text);
    CHECK(refused({"all_reduce", "--seconds", text}).where == "--seconds");
  }
  CHECK(refused({"all_reduce", "-b", "2M", "-e", "1M"}).where == "--min-bytes");
}

TEST_CASE("a flag that the operation cannot honour is refused, not ignored") {
  CHECK(refused({"all_gather", "--op", "sum"}).where == "--op");
  CHECK(refused({"all_reduce", "--op", "bit_or"}).what == "bit_or of float32 does not exist");
  CHECK(refused({"all_reduce", "--root", "1"}).where == "--root");
  CHECK(refused({"broadcast", "--in-place"}).where == "--in-place");
  CHECK(refused({"sendrecv", "--algorithm", "ring"}).where == "--algorithm");
  CHECK(refused({"sendrecv", "--explain"}).where == "--explain");
  CHECK(refused({"barrier", "--max-bytes", "8"}).where == "--max-bytes");
  CHECK(refused({"all_reduce", "--check", "--no-check"}).where == "--check");
  CHECK(refused({"all_reduce", "--iters", "5", "--seconds", "1"}).where == "--seconds");
}

TEST_CASE("a simulation runs nothing, so that what says how to run is refused") {
  const Options options = options_of({"all_reduce", "--simulate", "f.json", "--explain"});
  CHECK(options.action == Action::simulate);
  CHECK(options.simulate == "f.json");
  for (const char* flag : {"--rewrite", "--pin", "--in-place", "--no-check"}) {
    CHECK(refused({"all_reduce", "--simulate", "f.json", flag}).where == flag);
  }
  CHECK(refused({"all_reduce", "--simulate", "f.json", "--transport", "shm"}).where == "--transport");
  CHECK(refused({"sendrecv", "--simulate", "f.json"}).where == "--simulate");
}

TEST_CASE("help and version need no operation") {
  CHECK(options_of({"--help"}).action == Action::help);
  CHECK(options_of({"-h"}).action == Action::help);
  CHECK(options_of({"--version"}).action == Action::version);
  CHECK(version_text().rfind("jackal-bench ", 0) == 0);
}

}  // namespace jackal::bench
