#include "bench/calls.hpp"

#include <cstring>

namespace jackal::bench {
namespace {

// The two pairs of enumerations count alike.
static_assert(static_cast<int>(Element::complex64) == static_cast<int>(Dtype::complex64));
static_assert(static_cast<int>(Element::float16) == static_cast<int>(Dtype::float16));
static_assert(static_cast<int>(Reduction::average) == static_cast<int>(Op::average));
static_assert(static_cast<int>(Reduction::bit_and) == static_cast<int>(Op::bit_and));

// Of what goes from one rank to another: nothing else has it.
std::uint64_t message_key(int from, int to) {
  return static_cast<std::uint64_t>(from) << 32 | static_cast<std::uint64_t>(to);
}
// Of what is the same for all.
std::uint64_t own_key(int rank) { return message_key(rank, 0); }

int next_of(const Group& group) { return (group.rank() + 1) % group.size(); }
int previous_of(const Group& group) { return (group.rank() + group.size() - 1) % group.size(); }

std::vector<Pattern> input_patterns(const Group& group, const Options& options) {
  const Element element = options.dtype;
  const int rank = group.rank();
  switch (options.operation) {
    case Operation::all_reduce:
    case Operation::reduce:
    case Operation::reduce_scatter:
      return {Pattern::operand(element, options.reduction, group.size(), rank)};
    case Operation::all_gather:
    case Operation::gather:
    case Operation::sendrecv:
      return {Pattern::message(element, own_key(rank))};
    case Operation::broadcast:
      if (rank != options.root) return {};
      return {Pattern::message(element, own_key(rank))};
    case Operation::scatter:
    case Operation::all_to_all: {
      std::vector<Pattern> chunks;
      if (options.operation == Operation::scatter && rank != options.root) return chunks;
      for (int to = 0; to < group.size(); ++to)
        chunks.push_back(Pattern::message(element, message_key(rank, to)));
      return chunks;
    }
    case Operation::barrier:
      break;
  }
  return {};
}

std::vector<Pattern> expected_patterns(const Group& group, const Options& options) {
  const Element element = options.dtype;
  const int rank = group.rank();
  switch (options.operation) {
    case Operation::reduce:
      if (rank != options.root) return {};
      [[fallthrough]];
    case Operation::all_reduce:
    case Operation::reduce_scatter:
      return {Pattern::result(element, options.reduction, group.size())};
    case Operation::broadcast:
      return {Pattern::message(element, own_key(options.root))};
    case Operation::sendrecv:
      return {Pattern::message(element, own_key(previous_of(group)))};
    case Operation::scatter:
      return {Pattern::message(element, message_key(options.root, rank))};
    case Operation::gather:
      if (rank != options.root) return {};
      [[fallthrough]];
    case Operation::all_gather:
    case Operation::all_to_all: {
      const bool same_for_all = options.operation != Operation::all_to_all;
      std::vector<Pattern> chunks;
      for (int from = 0; from < group.size(); ++from) {
        chunks.push_back(Pattern::message(element, same_for_all ? own_key(from) : message_key(from, rank)));
      }
      return chunks;
    }
    case Operation::barrier:
      break;
  }
  return {};
}

}  // namespace

Case::Case(Group& group, const Options& options, const Extent& extent, std::byte* in, std::byte* out)
    : group_(group),
      options_(options),
      extent_(extent),
      in_(in),
      out_(out),
      input_(input_patterns(group, options)),
      expected_(expected_patterns(group, options)) {
  call_options_.algorithm = options.algorithm;
  const std::size_t own_chunk =
      static_cast<std::size_t>(group.rank()) * extent.count * bytes_of(options.dtype);
  if (options.operation == Operation::broadcast) in_ = out_;
  if (!options.in_place) return;
  in_ = out_;
  if (options.operation == Operation::all_gather) in_ = out_ + own_chunk;
  if (options.operation == Operation::reduce_scatter) out_ = in_ + own_chunk;
}

bool Case::is_root() const { return group_.rank() == options_.root; }

void Case::write_input() const {
  if (input_.size() == 1) {
    input_[0].fill(in_, options_.operation == Operation::broadcast ? extent_.count : extent_.in);
    return;
  }
  const std::size_t chunk = extent_.count * bytes_of(options_.dtype);
  for (std::size_t i = 0; i < input_.size(); ++i) input_[i].fill(in_ + i * chunk, extent_.count);
}

void Case::spoil_output() const {
  const bool holds_input = options_.in_place || (options_.operation == Operation::broadcast && is_root());
  if (!holds_input) std::memset(out_, 0xa5, extent_.out * bytes_of(options_.dtype));
}

void Case::call() const {
  const auto dtype = static_cast<Dtype>(options_.dtype);
  const auto op = static_cast<Op>(options_.reduction);
  const std::size_t count = extent_.count;
  const int root = options_.root;
  switch (options_.operation) {
    case Operation::all_reduce:
      return group_.all_reduce(in_, out_, count, dtype, op, call_options_);
    case Operation::reduce_scatter:
      return group_.reduce_scatter(in_, out_, count, dtype, op, call_options_);
    case Operation::all_gather:
      return group_.all_gather(in_, out_, count, dtype, call_options_);
    case Operation::broadcast:
      return group_.broadcast(out_, count, dtype, root, call_options_);
    case Operation::reduce:
      return group_.reduce(in_, out_, count, dtype, op, root, call_options_);
    case Operation::gather:
      return group_.gather(in_, out_, count, dtype, root, call_options_);
    case Operation::scatter:
      return group_.scatter(in_, out_, count, dtype, root, call_options_);
    case Operation::all_to_all:
      return group_.all_to_all(in_, out_, count, dtype, call_options_);
    case Operation::barrier:
      return group_.barrier(call_options_);
    case Operation::sendrecv:
      return group_.sendrecv(in_, count, next_of(group_), out_, count, previous_of(group_), dtype, 0,
                             call_options_);
  }
}

std::uint64_t Case::wrong() const {
  // Its chunk of what a reduction of all the input would give.
  const bool scattered = options_.operation == Operation::reduce_scatter;
  const std::uint64_t first = scattered ? static_cast<std::uint64_t>(group_.rank()) * extent_.count : 0;
  if (expected_.size() == 1) return expected_[0].wrong(out_, extent_.count, first);
  const std::size_t chunk = extent_.count * bytes_of(options_.dtype);
  std::uint64_t wrong = 0;
  for (std::size_t i = 0; i < expected_.size(); ++i)
    wrong += expected_[i].wrong(out_ + i * chunk, extent_.count);
  return wrong;
}

}  // namespace jackal::bench
