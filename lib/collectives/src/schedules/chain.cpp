#include "schedules/algorithms.hpp"
#include "schedules/builder.hpp"

namespace jackal::collectives {
namespace {

// One direction along the walk, as one rank sees it. Ranks are counted along the way.
struct Way {
  const Walk& walk;
  int direction;  // 1: along the walk, -1: against it
  int place;

  Way(const Walk& through, int along, int rank)
      : walk(through), direction(along), place(walk.place[static_cast<std::size_t>(rank)]) {
    if (direction < 0) place = ranks() - 1 - place;
  }

  int ranks() const { return static_cast<int>(walk.order.size()); }
  int rank_at(int at) const { return walk.at(direction > 0 ? at : ranks() - 1 - at); }
  bool first() const { return place == 0; }
  bool last() const { return place == ranks() - 1; }
  int next() const { return rank_at(place + 1); }
  int previous() const { return rank_at(place - 1); }
};

// Every chunk travels to both ends.
Program all_gather(const Walk& walk, int rank) {
  Builder ways[2];
  for (const int i : {0, 1}) {
    const Way way(walk, 1 - 2 * i, rank);
    if (!way.last()) ways[i].send(way.next(), chunks_of(Space::input, 0, 1));
    for (int from = way.place - 1; from >= 0; --from) {
      const Piece chunk = chunks_of(Space::output, way.rank_at(from), 1);
      ways[i].receive(way.previous(), chunk);
      if (!way.last()) ways[i].send(way.next(), chunk);
    }
  }
  Builder builder;
  builder.copy(chunks_of(Space::output, rank, 1), chunks_of(Space::input, 0, 1));
  builder.alternate(ways[0].take(), ways[1].take());
  return builder.take();
}

// From both ends sums travel to each chunk's owner, the farthest first, through two places a way in turn; the
// owner adds what comes along the walk, its own, and what comes against it.
Program reduce_scatter(const Walk& walk, int rank) {
  const Piece output = chunks_of(Space::output, 0, 1);
  const auto input = [](int chunk) { return chunks_of(Space::input, chunk, 1); };
  Builder ways[2];
  for (const int i : {0, 1}) {
    const Way way(walk, 1 - 2 * i, rank);
    for (int to = way.ranks() - 1; to > way.place; --to) {
      Piece sum = input(way.rank_at(to));
      if (!way.first()) {
        const Piece into = chunks_of(Space::scratch, 2 * i + to % 2, 1);
        i == 0 ? ways[i].reduce_receive(way.previous(), into, sum)
               : ways[i].receive_reduce(way.previous(), into, sum);
        sum = into;
      }
      ways[i].send(way.next(), sum);
    }
  }
  Builder builder;
  builder.scratch(4);
  builder.alternate(ways[0].take(), ways[1].take());
  const Way along(walk, 1, rank);
  const Way against(walk, -1, rank);
  if (!along.first()) builder.reduce_receive(along.previous(), output, input(rank));
  if (!against.first())
    builder.receive_reduce(against.previous(), output, along.first() ? input(rank) : output);
  return builder.take();
}

}  // namespace

std::optional<Program> chain_program(Topology& topology, const Shape& shape, int rank) {
  if (shape.ranks < 3) return std::nullopt;  // a tree of two is the same
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
  const Walk* walk = topology.walk();
  if (walk == nullptr) return std::nullopt;
  if (shape.operation == Operation::reduce_scatter) return reduce_scatter(*walk, rank);
  if (shape.operation == Operation::all_gather || shape.operation == Operation::all_gather_v)
    return all_gather(*walk, rank);
  return tree_shaped(topology.chain(has_root(shape.operation) ? shape.root : topology.middle()), shape, rank);
}

}  // namespace jackal::collectives
