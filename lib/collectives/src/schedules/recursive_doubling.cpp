#include <algorithm>

#include "schedules/algorithms.hpp"
#include "schedules/builder.hpp"
#include "schedules/pairing.hpp"

namespace jackal::collectives {
namespace {

// In every round each rank swaps what it has with a partner and adds it up, the lower ranks' part first, so
// that both get the same bits. A sum may not replace what is still being sent: it goes to and fro between two
// places. Round 0 sends the input, and the last sum is in the output.
void all_reduce(Builder& builder, const Shape& shape, int rank) {
  const Pairing pairing(shape.ranks);
  const Piece input{Space::input, 0, 1};
  const Piece output{Space::output, 0, 1};
  if (pairing.left_out(rank)) {
    builder.send(rank - 1, input);
    return builder.receive(rank - 1, output);
  }
  const bool folds = pairing.folds(rank);
  const int sums = pairing.rounds() + (folds ? 1 : 0);
  if (sums == 0) return builder.copy(output, input);
  builder.scratch(2);
  Piece have = input;
  // Where the k-th sum goes. The first may be the input's place only once that has been sent.
  const auto place = [&](int k) -> Piece {
    if ((sums - k) % 2 == 1) return {Space::scratch, 0, 1};
    return k == 1 && !folds && shape.in_place ? Piece{Space::scratch, 1, 1} : output;
  };
  int sum = 0;
  if (folds) {
    const Piece to = place(++sum);
    builder.receive_reduce(rank + 1, to, have);
    have = to;
  }
  for (int round = 0; round < pairing.rounds(); ++round) {
    const int partner = pairing.partner(rank, 1 << round);
    const Piece to = place(++sum);
    builder.send(partner, have);
    partner < rank ? builder.reduce_receive(partner, to, have) : builder.receive_reduce(partner, to, have);
    have = to;
  }
  builder.copy(output, have);
  if (folds) builder.send(rank + 1, output);
}

// Chunks from `first` on around the end of the row: one run or two.
void swap_chunks(Builder& builder, int ranks, int send_to, int first_sent, int receive_from,
                 int first_received, int chunks) {
  const auto each_run = [ranks, chunks](int first, const auto& use) {
    const int before_end = std::min(chunks, ranks - first);
    use(chunks_of(Space::output, first, before_end));
    use(chunks_of(Space::output, 0, chunks - before_end));
  };
  each_run(first_sent, [&](Piece run) { builder.send(send_to, run); });
  each_run(first_received, [&](Piece run) { builder.receive(receive_from, run); });
}

// Each rank has the chunks from its own on; in every round it gets as many more from the rank that has just
// those.
void all_gather(Builder& builder, const Shape& shape, int rank) {
  const int ranks = shape.ranks;
  builder.copy(chunks_of(Space::output, rank, 1), chunks_of(Space::input, 0, 1));
  for (int distance = 1; distance < ranks; distance *= 2)
    swap_chunks(builder, ranks, (rank - distance + ranks) % ranks, rank, (rank + distance) % ranks,
                (rank + distance) % ranks, std::min(distance, ranks - distance));
}

// Round k tells the rank 2^k further on that this one has come and has heard the k rounds before: what is
// sent must wait for all that was received, so the message holds it all.
void barrier(Builder& builder, const Shape& shape, int rank) {
  int heard = 1;
  for (int distance = 1; distance < shape.ranks; distance *= 2) {
    builder.send((rank + distance) % shape.ranks, {Space::scratch, 0, heard});
    builder.receive((rank - distance + shape.ranks) % shape.ranks, {Space::scratch, heard, heard});
    heard *= 2;
  }
  builder.scratch(heard);
}

}  // namespace

std::optional<Program> recursive_doubling_program(Topology& topology, const Shape& shape, int rank) {
  if (!topology.complete() || shape.ranks < 2) return std::nullopt;
  Builder builder;
  switch (shape.operation) {
    case Operation::all_reduce:
      all_reduce(builder, shape, rank);
      break;
    case Operation::all_gather:
    case Operation::all_gather_v:
      all_gather(builder, shape, rank);
      break;
    case Operation::barrier:
      barrier(builder, shape, rank);
      break;
    default:
      return std::nullopt;
  }
  return builder.take();
}

}  // namespace jackal::collectives
