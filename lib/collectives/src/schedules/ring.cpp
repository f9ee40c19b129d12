#include "schedules/algorithms.hpp"
#include "schedules/builder.hpp"

namespace jackal::collectives {
namespace {

// One direction of the ring as one rank sees it. Block `half` of every pair of blocks goes this way. Ranks
// are counted along the way; chunk (or pair of blocks) c belongs to the rank at place c.
struct Way {
  const Walk& walk;
  int half;   // 0: along the walk, 1: against it
  int place;  // of this rank, along the way

  Way(const Walk& ring, int direction, int rank) : walk(ring), half(direction), place(along(rank)) {}

  int ranks() const { return static_cast<int>(walk.order.size()); }
  int along(int rank) const {
    const int index = walk.place[static_cast<std::size_t>(rank)];
    return half == 0 ? index : ranks() - 1 - index;
  }
  int rank_at(int at) const { return walk.at(half == 0 ? at : ranks() - 1 - at); }
  int next() const { return rank_at(place + 1); }
  int previous() const { return rank_at(place - 1); }
  /// This way's half of the chunk whose owner is at `at`.
  Piece half_of(Space space, int at) const { return {space, 2 * rank_at(at) + half, 1}; }
  Piece half_in(Space space, int chunk) const { return {space, 2 * chunk + half, 1}; }
};

// A partial sum of each chunk starts behind its owner and grows on its way round.
void reduce_scatter(Builder& builder, const Way& way) {
  Piece partial = way.half_of(Space::input, way.place - 1);
  for (int i = 1; i < way.ranks(); ++i) {
    builder.send(way.next(), partial);
    const bool last = i == way.ranks() - 1;
    const Piece to = last ? way.half_in(Space::output, 0) : way.half_in(Space::scratch, i % 2);
    builder.reduce_receive(way.previous(), to, way.half_of(Space::input, way.place - 1 - i));
    partial = to;
  }
}

// The same, of blocks of one chunk, left where they are; then the sums go round once more.
void all_reduce(Builder& builder, const Way& way) {
  for (int i = 1; i < way.ranks(); ++i) {
    builder.send(way.next(), way.half_of(i == 1 ? Space::input : Space::output, way.place - i));
    builder.reduce_receive(way.previous(), way.half_of(Space::output, way.place - 1 - i),
                           way.half_of(Space::input, way.place - 1 - i));
  }
  for (int i = 0; i < way.ranks() - 1; ++i) {
    builder.send(way.next(), way.half_of(Space::output, way.place - i));
    builder.receive(way.previous(), way.half_of(Space::output, way.place - 1 - i));
  }
}

void all_gather(Builder& builder, const Way& way) {
  builder.copy(way.half_of(Space::output, way.place), way.half_in(Space::input, 0));
  for (int i = 0; i < way.ranks() - 1; ++i) {
    builder.send(way.next(),
                 i == 0 ? way.half_in(Space::input, 0) : way.half_of(Space::output, way.place - i));
    builder.receive(way.previous(), way.half_of(Space::output, way.place - 1 - i));
  }
}

void broadcast(Builder& builder, const Way& way, int root) {
  const Piece half = way.half_in(Space::output, 0);
  if (way.rank_at(way.place) != root) builder.receive(way.previous(), half);
  if (way.next() != root) builder.send(way.next(), half);
}

void reduce(Builder& builder, const Way& way, int root) {
  const bool first = way.previous() == root;
  const Piece own = way.half_in(Space::input, 0);
  if (way.rank_at(way.place) == root)
    return builder.reduce_receive(way.previous(), way.half_in(Space::output, 0), own);
  const Piece sum = first ? own : way.half_in(Space::scratch, 0);
  if (!first) builder.reduce_receive(way.previous(), sum, own);
  builder.send(way.next(), sum);
}

int scratch_chunks(Operation operation) {
  if (operation == Operation::reduce_scatter) return 2;
  return operation == Operation::reduce ? 1 : 0;
}

void one_way(Builder& builder, const Way& way, const Shape& shape) {
  switch (shape.operation) {
    case Operation::all_reduce:
      return all_reduce(builder, way);
    case Operation::reduce_scatter:
      return reduce_scatter(builder, way);
    case Operation::broadcast:
      return broadcast(builder, way, shape.root);
    case Operation::reduce:
      return reduce(builder, way, shape.root);
    default:
      return all_gather(builder, way);
  }
}

}  // namespace

std::optional<Program> ring_program(Topology& topology, const Shape& shape, int rank) {
  switch (shape.operation) {
    case Operation::all_reduce:
    case Operation::reduce_scatter:
    case Operation::all_gather:
    case Operation::all_gather_v:
    case Operation::broadcast:
    case Operation::reduce:
      break;
    default:
      return std::nullopt;
  }
  const Walk* walk = topology.ring();
  if (walk == nullptr || shape.ranks < 2) return std::nullopt;
  Builder builder(shape.operation == Operation::all_reduce ? 2 * shape.ranks : 2);
  builder.scratch(scratch_chunks(shape.operation));
  // Step by step of both ways, so that among two ranks, where both take the same link, neither waits for the
  // other to be done.
  Builder ways[2];
  for (const int half : {0, 1}) one_way(ways[half], Way(*walk, half, rank), shape);
  builder.alternate(ways[0].take(), ways[1].take());
  return builder.take();
}

}  // namespace jackal::collectives
