#include <vector>

#include "schedules/algorithms.hpp"
#include "schedules/builder.hpp"

namespace jackal::collectives {
namespace {

// A message under way.
struct Parcel {
  int from = 0;
  int to = 0;
  int at = 0;
  int slot = -1;  // of scratch at `at`, when it is this program's rank and has forwarded or put it aside
};

// All ranks follow the same time-table: in each round every parcel makes one hop, in the order of (from, to).
// So both ends of a link agree on the order of what travels over it.
class Office {
public:
  Office(Topology& topology, const Shape& shape, int rank)
      : shape_(shape), rank_(rank), hops_(topology.hops()) {}

  Program all_to_all() {
    collect();
    builder_.copy(chunks_of(Space::output, rank_, 1), chunks_of(Space::input, rank_, 1));
    while (!parcels_.empty()) round();
    builder_.scratch(slots_);
    return builder_.take();
  }

private:
  Piece slot(int number) const { return chunks_of(Space::scratch, number, 1); }

  void collect() {
    for (int from = 0; from < shape_.ranks; ++from)
      for (int to = 0; to < shape_.ranks; ++to)
        if (from != to) parcels_.push_back({from, to, from});
    if (!shape_.in_place) return;
    // What comes takes the place of what goes.
    for (Parcel& parcel : parcels_) {
      if (parcel.from != rank_) continue;
      parcel.slot = slots_++;
      builder_.copy(slot(parcel.slot), chunks_of(Space::input, parcel.to, 1));
    }
  }

  // Sends first: what is to be received may wait for them, not the other way round.
  void round() {
    std::vector<Parcel> arrive;
    std::vector<Parcel> on_the_way;
    for (Parcel parcel : parcels_) {
      const std::size_t way = static_cast<std::size_t>(parcel.at) * static_cast<std::size_t>(shape_.ranks) +
                              static_cast<std::size_t>(parcel.to);
      const int next = hops_[way];
      if (parcel.at == rank_)
        builder_.send(next, parcel.slot >= 0 ? slot(parcel.slot) : chunks_of(Space::input, parcel.to, 1));
      const int sender = parcel.at;
      parcel.at = next;
      parcel.slot = -1;
      if (next == rank_) {
        if (parcel.to != rank_) parcel.slot = slots_++;
        arrive.push_back({parcel.from, parcel.to, sender, parcel.slot});
      }
      if (next != parcel.to) on_the_way.push_back(parcel);
    }
    for (const Parcel& parcel : arrive)
      builder_.receive(parcel.at,
                       parcel.to == rank_ ? chunks_of(Space::output, parcel.from, 1) : slot(parcel.slot));
    parcels_ = std::move(on_the_way);
  }

  const Shape& shape_;
  int rank_;
  const std::vector<int>& hops_;
  Builder builder_;
  std::vector<Parcel> parcels_;
  int slots_ = 0;
};

}  // namespace

std::optional<Program> routes_program(Topology& topology, const Shape& shape, int rank) {
  // With every link there, each route is one hop: the mesh.
  if (shape.operation != Operation::all_to_all || topology.complete()) return std::nullopt;
  return Office(topology, shape, rank).all_to_all();
}

}  // namespace jackal::collectives
