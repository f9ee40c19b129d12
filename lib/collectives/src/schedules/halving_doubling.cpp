#include "schedules/algorithms.hpp"
#include "schedules/builder.hpp"
#include "schedules/pairing.hpp"

namespace jackal::collectives {
namespace {

// A run of places whose blocks a rank still works on.
struct Range {
  int first = 0;
  int places = 0;

  Range lower() const { return {first, places / 2}; }
  Range upper() const { return {first + places / 2, places / 2}; }
};

// Halves `range` with partners ever nearer, down to this rank's own place: sends the partner's half, adds up
// the other. `block(place)`: the first block of a place in both spaces. `from` is where the operands are in
// the first round, `into` where the sums go.
template <class Block>
void halve(Builder& builder, const Pairing& pairing, int rank, Space from, Space into, const Block& block) {
  const auto piece = [&block](Space space, Range range) {
    return Piece{space, block(range.first), block(range.first + range.places) - block(range.first)};
  };
  Range range{0, pairing.places()};
  for (int distance = pairing.places() / 2; distance >= 1; distance /= 2) {
    const int partner = pairing.partner(rank, distance);
    const bool low = partner > rank;
    const Range keep = low ? range.lower() : range.upper();
    builder.send(partner, piece(from, low ? range.upper() : range.lower()));
    low ? builder.receive_reduce(partner, piece(into, keep), piece(from, keep))
        : builder.reduce_receive(partner, piece(into, keep), piece(from, keep));
    from = into;
    range = keep;
  }
}

// One block a place: halving, then doubling back over the same partners.
void all_reduce(Builder& builder, const Pairing& pairing, int rank) {
  const Piece input = chunks_of(Space::input, 0, 1, pairing.places());
  const Piece output = chunks_of(Space::output, 0, 1, pairing.places());
  if (pairing.left_out(rank)) {
    builder.send(rank - 1, input);
    return builder.receive(rank - 1, output);
  }
  if (pairing.folds(rank)) builder.receive_reduce(rank + 1, output, input);
  halve(builder, pairing, rank, pairing.folds(rank) ? Space::output : Space::input, Space::output,
        [](int place) { return place; });
  for (int distance = 1; distance < pairing.places(); distance *= 2) {
    const int first = pairing.place(rank) / distance * distance;
    const int partner = pairing.partner(rank, distance);
    builder.send(partner, {Space::output, first, distance});
    builder.receive(partner, {Space::output, first ^ distance, distance});
  }
  if (pairing.folds(rank)) builder.send(rank + 1, output);
}

// One block a rank; a place that two ranks share has two.
void reduce_scatter(Builder& builder, const Pairing& pairing, const Shape& shape, int rank) {
  const Piece output{Space::output, 0, 1};
  const Piece input{Space::input, 0, shape.ranks};
  if (pairing.left_out(rank)) {
    builder.send(rank - 1, input);
    return builder.receive(rank - 1, output);
  }
  builder.scratch(shape.ranks);
  const Piece sums{Space::scratch, 0, shape.ranks};
  if (pairing.folds(rank)) builder.receive_reduce(rank + 1, sums, input);
  halve(builder, pairing, rank, pairing.folds(rank) ? Space::scratch : Space::input, Space::scratch,
        [&pairing](int place) { return pairing.first_rank(place); });
  builder.copy(output, {Space::scratch, rank, 1});
  if (pairing.folds(rank)) builder.send(rank + 1, {Space::scratch, rank + 1, 1});
}

}  // namespace

std::optional<Program> halving_doubling_program(Topology& topology, const Shape& shape, int rank) {
  // Among two and three ranks, others do the same in fewer messages.
  if (!topology.complete() || shape.ranks < 4) return std::nullopt;
  const Pairing pairing(shape.ranks);
  if (shape.operation == Operation::all_reduce) {
    Builder builder(pairing.places());
    all_reduce(builder, pairing, rank);
    return builder.take();
  }
  if (shape.operation == Operation::reduce_scatter) {
    Builder builder;
    reduce_scatter(builder, pairing, shape, rank);
    return builder.take();
  }
  return std::nullopt;
}

}  // namespace jackal::collectives
