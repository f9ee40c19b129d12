// An algorithm as data: what one rank sends, receives, reduces and copies, in which order of meaning.
//
// Blocks. Every space is a row of chunks of `count` elements each (the count of the call): `input` has
// size() chunks in reduce_scatter, scatter and all_to_all, else one; `output` has size() chunks in
// all_gather, all_gather_v, gather and all_to_all, else one; broadcast has an output only, which the root
// finds filled. A chunk is cut into `parts` nearly equal blocks (the first ones longer). Block b is part b %
// parts of chunk b / parts. A piece is a run of neighbouring blocks.
//
// Meaning. A program means what it says when run step by step; a step may start as soon as no earlier step
// that it collides with (one writes what the other touches) is unfinished. Invariants, which the simulator
// checks:
//   1. the k-th send of i to j and the k-th receive of j from i have equally many elements;
//   2. steps run in that freedom, with sends taking any time, always end, and always with the same bits;
//   3. nothing is written to `input`; each block of `output` ends with its final value;
//   4. only linked pairs (Fabric::path) exchange anything;
//   5. in reductions each element is computed in one order of operands, the same for all ranks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fabric/fabric.hpp"
#include "group/call.hpp"

namespace jackal::collectives {

enum class Space : std::uint8_t { input, output, scratch };

struct Piece {
  Space space = Space::input;
  int first = 0;   // block
  int blocks = 0;  // how many, neighbours
  bool operator==(const Piece&) const = default;
};

struct Step {
  enum class Kind : std::uint8_t {
    send,            // `a` to `peer`
    receive,         // from `peer` into `to`
    receive_reduce,  // to = a op (what comes from `peer`), element by element; `a` may be `to`
    reduce_receive,  // to = (what comes from `peer`) op a
    copy,            // to = a
    reduce,          // to = a op b; `a` or `b` may be `to`
  };
  Kind kind = Kind::send;
  int peer = -1;
  Piece a;
  Piece b;
  Piece to;
  bool operator==(const Step&) const = default;
};

/// What one rank does.
struct Program {
  int parts = 1;
  int scratch_chunks = 0;  // chunks of `count` elements that scratch has
  std::vector<Step> steps;
};

/// The call that a schedule is for. Sizes come in only with the executor and the predictions.
struct Shape {
  Operation operation{};
  int ranks = 1;
  int root = -1;
};

/// All names that carry out `operation` on this fabric, in a fixed order. Names: "mesh", "ring",
/// "halving-doubling", "recursive-doubling", "tree", "chain", …
std::vector<std::string> algorithms_for(const Shape& shape, const Fabric& fabric);

/// The program of `rank`. nullopt when the algorithm does not exist or cannot do this here.
std::optional<Program> make_program(std::string_view algorithm, const Shape& shape, const Fabric& fabric,
                                    int rank);

/// Which earlier steps must be finished before a step may start: the colliding ones, without those implied.
std::vector<std::vector<int>> dependencies(const Program& program);

}  // namespace jackal::collectives
