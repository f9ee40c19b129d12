// What a run is to do, as the command line said it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/elements.hpp"
#include "bench/operations.hpp"

namespace jackal::bench {

enum class Action { measure, simulate, help, version };
enum class Buffers { ordinary, jackal };

struct Options {
  Action action = Action::measure;
  Operation operation = Operation::all_reduce;
  Element dtype = Element::float32;
  Reduction reduction = Reduction::sum;
  int root = 0;
  std::uint64_t min_bytes = 8;
  std::uint64_t max_bytes = std::uint64_t{128} << 20;
  std::uint64_t factor = 2;
  std::vector<std::uint64_t> sizes;  // in place of the three before; empty: as they say

  std::optional<std::string> transport;  // for JACKAL_TRANSPORT; nullopt: as the environment says
  std::string algorithm;                 // empty: the library's choice

  std::optional<int> iterations;  // nullopt: as many as `seconds` holds
  int warmup = 5;
  double seconds = 0.5;  // of timed calls, a size
  Buffers buffers = Buffers::ordinary;
  bool in_place = false;
  bool rewrite = false;
  bool pin = false;
  bool check = true;

  bool explain = false;
  std::optional<std::string> json;
  std::optional<std::string> plot;
  std::optional<std::string> simulate;  // the fabric's file
};

/// All sizes of a run, ascending.
std::vector<std::uint64_t> sizes_of(const Options& options);

}  // namespace jackal::bench
