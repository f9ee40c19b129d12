#include "bench/contents.hpp"

#include <cstring>

namespace jackal::bench {
namespace {

// Of what goes from one rank to another: nothing else has it.
std::uint64_t message_key(int from, int to) {
  return static_cast<std::uint64_t>(from) << 32 | static_cast<std::uint64_t>(to);
}
// Of what is the same for all.
std::uint64_t own_key(int rank) { return message_key(rank, 0); }

}  // namespace

Contents::Contents(const Options& options, const Extent& extent, int ranks, int rank, std::byte* in,
                   std::byte* out)
    : options_(options),
      extent_(extent),
      ranks_(ranks),
      rank_(rank),
      in_(in),
      out_(out),
      input_(input_patterns()),
      expected_(expected_patterns()) {
  const std::size_t own_chunk = static_cast<std::size_t>(rank) * extent.count * bytes_of(options.dtype);
  if (options.operation == Operation::broadcast) in_ = out_;
  if (!options.in_place) return;
  in_ = out_;
  if (options.operation == Operation::all_gather) in_ = out_ + own_chunk;
  if (options.operation == Operation::reduce_scatter) out_ = in_ + own_chunk;
}

void Contents::write_input() const {
  if (input_.size() == 1) {
    input_[0].fill(in_, options_.operation == Operation::broadcast ? extent_.count : extent_.in);
    return;
  }
  const std::size_t chunk = extent_.count * bytes_of(options_.dtype);
  for (std::size_t i = 0; i < input_.size(); ++i) input_[i].fill(in_ + i * chunk, extent_.count);
}

void Contents::spoil_output() const {
  const bool is_root = rank_ == options_.root;
  const bool holds_input = options_.in_place || (options_.operation == Operation::broadcast && is_root);
  if (!holds_input) std::memset(out_, 0xa5, extent_.out * bytes_of(options_.dtype));
}

std::uint64_t Contents::wrong(const std::byte* result) const {
  // Its chunk of what a reduction of all the input would give.
  const bool scattered = options_.operation == Operation::reduce_scatter;
  const std::uint64_t first = scattered ? static_cast<std::uint64_t>(rank_) * extent_.count : 0;
  if (expected_.size() == 1) return expected_[0].wrong(result, extent_.count, first);
  const std::size_t chunk = extent_.count * bytes_of(options_.dtype);
  std::uint64_t wrong = 0;
  for (std::size_t i = 0; i < expected_.size(); ++i) {
    wrong += expected_[i].wrong(result + i * chunk, extent_.count);
  }
  return wrong;
}

std::vector<Pattern> Contents::input_patterns() const {
  const Element element = options_.dtype;
  switch (options_.operation) {
    case Operation::all_reduce:
    case Operation::reduce:
    case Operation::reduce_scatter:
      return {Pattern::operand(element, options_.reduction, ranks_, rank_)};
    case Operation::all_gather:
    case Operation::gather:
    case Operation::sendrecv:
      return {Pattern::message(element, own_key(rank_))};
    case Operation::broadcast:
      if (rank_ != options_.root) return {};
      return {Pattern::message(element, own_key(rank_))};
    case Operation::scatter:
    case Operation::all_to_all: {
      std::vector<Pattern> chunks;
      if (options_.operation == Operation::scatter && rank_ != options_.root) return chunks;
      for (int to = 0; to < ranks_; ++to) chunks.push_back(Pattern::message(element, message_key(rank_, to)));
      return chunks;
    }
    case Operation::barrier:
      break;
  }
  return {};
}

std::vector<Pattern> Contents::expected_patterns() const {
  const Element element = options_.dtype;
  switch (options_.operation) {
    case Operation::reduce:
      if (rank_ != options_.root) return {};
      [[fallthrough]];
    case Operation::all_reduce:
    case Operation::reduce_scatter:
      return {Pattern::result(element, options_.reduction, ranks_)};
    case Operation::broadcast:
      return {Pattern::message(element, own_key(options_.root))};
    case Operation::sendrecv:
      return {Pattern::message(element, own_key((rank_ + ranks_ - 1) % ranks_))};
    case Operation::scatter:
      return {Pattern::message(element, message_key(options_.root, rank_))};
    case Operation::gather:
      if (rank_ != options_.root) return {};
      [[fallthrough]];
    case Operation::all_gather:
    case Operation::all_to_all: {
      const bool same_for_all = options_.operation != Operation::all_to_all;
      std::vector<Pattern> chunks;
      for (int from = 0; from < ranks_; ++from) {
        chunks.push_back(Pattern::message(element, same_for_all ? own_key(from) : message_key(from, rank_)));
      }
      return chunks;
    }
    case Operation::barrier:
      break;
  }
  return {};
}

}  // namespace jackal::bench
