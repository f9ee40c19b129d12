// What the algorithms are written with: steps put together one by one. Empty pieces make no step.
#pragma once

#include <algorithm>
#include <utility>

#include "schedules/schedule.hpp"

namespace jackal::collectives {

/// `chunks` whole chunks from chunk `first` on.
inline Piece chunks_of(Space space, int first, int chunks, int parts = 1) {
  return {space, first * parts, chunks * parts};
}

class Builder {
public:
  explicit Builder(int parts = 1) { program_.parts = parts; }

  void send(int peer, Piece what) {
    if (what.blocks > 0) add({Step::Kind::send, peer, what, {}, {}});
  }
  void receive(int peer, Piece to) {
    if (to.blocks > 0) add({Step::Kind::receive, peer, {}, {}, to});
  }
  /// to = a op (what comes)
  void receive_reduce(int peer, Piece to, Piece a) {
    if (to.blocks > 0) add({Step::Kind::receive_reduce, peer, a, {}, to});
  }
  /// to = (what comes) op a
  void reduce_receive(int peer, Piece to, Piece a) {
    if (to.blocks > 0) add({Step::Kind::reduce_receive, peer, a, {}, to});
  }
  void copy(Piece to, Piece from) {
    if (to.blocks > 0 && !(to == from)) add({Step::Kind::copy, -1, from, {}, to});
  }
  void reduce(Piece to, Piece a, Piece b) {
    if (to.blocks > 0) add({Step::Kind::reduce, -1, a, b, to});
  }
  /// The steps of two programs in turn.
  void alternate(const Program& first, const Program& second) {
    for (std::size_t i = 0; i < std::max(first.steps.size(), second.steps.size()); ++i)
      for (const Program* program : {&first, &second})
        if (i < program->steps.size()) add(program->steps[i]);
  }
  void scratch(int chunks) { program_.scratch_chunks = chunks; }

  Program take() { return std::move(program_); }

private:
  void add(const Step& step) { program_.steps.push_back(step); }

  Program program_;
};

}  // namespace jackal::collectives
