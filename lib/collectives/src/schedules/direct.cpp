#include "schedules/algorithms.hpp"
#include "schedules/builder.hpp"

namespace jackal::collectives {
namespace {

constexpr Piece kInput{Space::input, 0, 1};
constexpr Piece kOutput{Space::output, 0, 1};
constexpr Piece kScratch{Space::scratch, 0, 1};

// Everybody adds up everything in rank order. The sum grows in scratch: in place, the input at `output` is
// still needed by the sends and for its own turn.
void all_reduce(Builder& builder, const Shape& shape, int rank) {
  const int ranks = shape.ranks;
  for (int i = 1; i < ranks; ++i) builder.send((rank + i) % ranks, kInput);
  if (ranks == 1) return builder.copy(kOutput, kInput);
  if (ranks == 2 && shape.in_place) {
    builder.receive(1 - rank, kScratch);
    return rank == 0 ? builder.reduce(kOutput, kInput, kScratch) : builder.reduce(kOutput, kScratch, kInput);
  }
  Piece sum = kInput;
  if (rank > 1) builder.receive(0, sum = kScratch);
  for (int other = 1; other < ranks; ++other) {
    const Piece to = other == ranks - 1 ? kOutput : kScratch;
    if (other == 1 && rank == 1)
      builder.reduce_receive(0, to, kInput);
    else if (other == rank)
      builder.reduce(to, sum, kInput);
    else
      builder.receive_reduce(other, to, sum);
    sum = to;
  }
}

void broadcast(Builder& builder, const Shape& shape, int rank) {
  if (rank != shape.root) return builder.receive(shape.root, kOutput);
  for (int i = 1; i < shape.ranks; ++i) builder.send((rank + i) % shape.ranks, kOutput);
}

void reduce(Builder& builder, const Shape& shape, int rank) {
  if (rank != shape.root) return builder.send(shape.root, kInput);
  if (shape.ranks == 1) return builder.copy(kOutput, kInput);
  for (int i = 1; i < shape.ranks; ++i)
    builder.receive_reduce((rank + i) % shape.ranks, kOutput, i == 1 ? kInput : kOutput);
}

}  // namespace

std::optional<Program> direct_program(Topology& topology, const Shape& shape, int rank) {
  if (!topology.complete()) return std::nullopt;
  Builder builder;
  builder.scratch(shape.operation == Operation::all_reduce ? 1 : 0);
  switch (shape.operation) {
    case Operation::all_reduce:
      all_reduce(builder, shape, rank);
      break;
    case Operation::broadcast:
      broadcast(builder, shape, rank);
      break;
    case Operation::reduce:
      reduce(builder, shape, rank);
      break;
    default:
      return std::nullopt;
  }
  return builder.take();
}

}  // namespace jackal::collectives
