#include "collectives/matrix/case.hpp"

#include <algorithm>
#include <array>
#include <random>

#include "collectives/matrix/covering.hpp"
#include "collectives/matrix/reference.hpp"

namespace matrix {
namespace {

constexpr int kTypes = 14;
constexpr int kOps = 7;
constexpr std::array<const char*, kTypes> kTypeNames = {
    "bool",   "int8",   "int16",   "int32",    "int64",   "uint8",   "uint16",
    "uint32", "uint64", "float16", "bfloat16", "float32", "float64", "complex64"};
constexpr std::array<const char*, kOps> kOpNames = {"sum",     "product", "min",    "max",
                                                    "bit_and", "bit_or",  "average"};
constexpr std::array<const char*, kOperations> kNames = {
    "all_reduce", "reduce_scatter", "reduce",     "all_gather", "all_gather_v",  "broadcast",
    "gather",     "scatter",        "all_to_all", "barrier",    "send and recv", "sendrecv"};
constexpr std::array<std::size_t, 3> kOffsets = {0, 1, 20};
constexpr std::size_t kLarge = 10000;  // bytes
constexpr int kRoots = 3;              // the first, the second and the last

constexpr std::array<std::size_t, 29> kSizes = {
    0,    1,    3,    8,    40,   47,   48,   49,    63,    64,    65,     100,    1000,    1023,   1024,
    1032, 4095, 4096, 4097, 8191, 8192, 8200, 65535, 65536, 65609, 262144, 262217, 1048576, 1048645};

enum Axis {
  ranks,
  layout,
  operation,
  dtype,
  op,
  size,
  algorithm,
  root,
  place,
  manner,
  memory,
  offset,
  values,
  axes
};

template <class T>
T at(const Row& row, Axis axis) {
  return static_cast<T>(row[static_cast<std::size_t>(axis)]);
}

bool chosen(const Row& row, Axis axis) { return row[static_cast<std::size_t>(axis)] >= 0; }

bool possible(const Row& row) {
  if (!chosen(row, op)) return true;
  if (chosen(row, dtype) && !allowed(at<Op>(row, op), at<Dtype>(row, dtype))) return false;
  // What does not reduce is not repeated for every op.
  return !chosen(row, operation) || reduces(at<Operation>(row, operation)) || at<Op>(row, op) == Op::sum;
}

std::size_t elements_of(std::size_t bytes, Dtype type) {
  return bytes == 0 ? 0 : std::max<std::size_t>(1, bytes / size_of(type));
}

}  // namespace

const char* name_of(Operation one) { return kNames[static_cast<std::size_t>(one)]; }

bool reduces(Operation one) { return one <= Operation::reduce; }

bool replicates(Operation one) {
  return one == Operation::all_reduce || one == Operation::all_gather || one == Operation::all_gather_v ||
         one == Operation::broadcast;
}

bool has_algorithms(Operation one) { return one < Operation::send_recv; }

std::string Case::text() const {
  std::string text = name_of(operation);
  if (operation == Operation::barrier) return text + (async ? ", async" : "");
  text += " of " + std::to_string(count) + " " + kTypeNames[static_cast<std::size_t>(pattern.dtype)];
  if (reduces(operation)) text += std::string(", ") + kOpNames[static_cast<std::size_t>(pattern.op)];
  text += ", root " + std::to_string(root) + ", algorithm " + std::to_string(algorithm);
  if (in_place) text += ", in place";
  if (async) text += ", async";
  if (buffer) text += ", in a Buffer";
  static constexpr std::array kValues = {"any", "exact", "special"};
  return text + ", offset " + std::to_string(offset) + ", " +
         kValues[static_cast<std::size_t>(pattern.values)] + " values, seed " + std::to_string(pattern.seed);
}

std::span<const std::size_t> sizes() { return kSizes; }

std::vector<Placed> selected(int most_ranks, int layouts, std::uint64_t seed) {
  std::vector<int> counts(axes);
  counts[ranks] = most_ranks;
  counts[layout] = layouts;
  counts[operation] = kOperations;
  counts[dtype] = kTypes;
  counts[op] = kOps;
  counts[size] = static_cast<int>(kSizes.size());
  counts[algorithm] = kMethods;
  counts[root] = kRoots;
  counts[place] = counts[manner] = counts[memory] = 2;
  counts[offset] = static_cast<int>(kOffsets.size());
  counts[values] = 3;

  std::vector<Placed> placed;
  for (const Row& row : covering(counts, possible)) {
    Case call;
    call.operation = at<Operation>(row, operation);
    call.pattern = {mixed(seed, placed.size()), at<Dtype>(row, dtype), at<Op>(row, op),
                    at<Values>(row, values)};
    call.count = elements_of(kSizes[at<std::size_t>(row, size)], call.pattern.dtype);
    call.root = at<int>(row, root) == 2 ? at<int>(row, ranks) : at<int>(row, root);
    call.algorithm = at<int>(row, algorithm);
    call.in_place = at<int>(row, place) != 0;
    call.async = at<int>(row, manner) != 0;
    call.buffer = at<int>(row, memory) != 0;
    call.offset = kOffsets[at<std::size_t>(row, offset)];
    placed.push_back({at<int>(row, ranks) + 1, at<int>(row, layout), call});
  }
  return placed;
}

std::vector<Case> all_of(const std::function<int(Operation)>& methods, std::uint64_t seed,
                         std::uint64_t thinned) {
  std::vector<Case> all;
  std::uint64_t number = 0;
  const auto add = [&](Case call, std::size_t bytes) {
    for (call.algorithm = 0; call.algorithm < methods(call.operation); ++call.algorithm)
      for (const bool in_place : {false, true}) {
        const std::uint64_t draw = mixed(seed, ++number);
        if (draw % (bytes > kLarge ? 8 * thinned : thinned) != 0) continue;
        Case one = any(draw, 0);
        one.operation = call.operation;
        one.pattern.dtype = call.pattern.dtype;
        one.pattern.op = call.pattern.op;
        one.count = elements_of(bytes, call.pattern.dtype);
        one.algorithm = call.algorithm;
        one.in_place = in_place;
        all.push_back(one);
      }
  };
  for (int one = 0; one < kOperations; ++one)
    for (int type = 0; type < kTypes; ++type)
      for (int combine = 0; combine < kOps; ++combine) {
        Case call;
        call.operation = static_cast<Operation>(one);
        call.pattern.dtype = static_cast<Dtype>(type);
        call.pattern.op = static_cast<Op>(combine);
        if (!allowed(call.pattern.op, call.pattern.dtype)) continue;
        if (!reduces(call.operation) && call.pattern.op != Op::sum) continue;
        for (const std::size_t bytes : kSizes) add(call, bytes);
      }
  return all;
}

Case any(std::uint64_t seed, std::size_t most_bytes) {
  std::mt19937_64 random(seed);
  const auto below = [&random](std::uint64_t limit) { return random() % limit; };
  Case call;
  call.operation = static_cast<Operation>(below(kOperations));
  call.pattern.seed = random();
  do {
    call.pattern.dtype = static_cast<Dtype>(below(kTypes));
    call.pattern.op = static_cast<Op>(below(kOps));
  } while (!allowed(call.pattern.op, call.pattern.dtype));
  call.pattern.values = static_cast<Values>(below(3));
  // A random number of random bits.
  std::size_t magnitude = most_bytes;
  for (std::uint64_t halvings = below(24); halvings > 0; --halvings) magnitude /= 2;
  const std::size_t bytes = below(magnitude + 1);
  call.count = elements_of(bytes, call.pattern.dtype);
  call.root = static_cast<int>(below(8));
  call.algorithm = static_cast<int>(below(2) * below(kMethods));
  call.in_place = below(2) != 0;
  call.async = below(2) != 0;
  call.buffer = below(4) == 0;
  call.offset = kOffsets[below(kOffsets.size())];
  return call;
}

}  // namespace matrix
