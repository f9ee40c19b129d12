// Ranks in a number of places that is a power of two, for algorithms of partners: the first few ranks share a
// place in pairs (2i, 2i + 1). The even one takes in what the odd one has ("folds"), takes part for both, and
// hands over the result; the odd one is left out between. Places keep the order of the ranks.
#pragma once

namespace jackal::collectives {

class Pairing {
public:
  explicit Pairing(int ranks) {
    while (2 * places_ <= ranks) {
      places_ *= 2;
      ++rounds_;
    }
    pairs_ = ranks - places_;
  }

  int places() const { return places_; }
  int rounds() const { return rounds_; }  // places() is two to the power of this
  bool left_out(int rank) const { return rank < 2 * pairs_ && rank % 2 == 1; }
  bool folds(int rank) const { return rank < 2 * pairs_ && rank % 2 == 0; }
  int place(int rank) const { return rank < 2 * pairs_ ? rank / 2 : rank - pairs_; }
  /// The rank that takes part at a place; first_rank(places()) is the number of ranks.
  int first_rank(int place) const { return place < pairs_ ? 2 * place : place + pairs_; }
  int partner(int rank, int distance) const { return first_rank(place(rank) ^ distance); }

private:
  int places_ = 1;
  int rounds_ = 0;
  int pairs_ = 0;
};

}  // namespace jackal::collectives
