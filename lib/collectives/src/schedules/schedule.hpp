// An algorithm as data: what one rank sends, receives, reduces and copies, in which order of meaning.
//
// Blocks. Every space is a row of chunks of `count` elements each (the count of the call): `input` has
// size() chunks in reduce_scatter, scatter and all_to_all, else one; `output` has size() chunks in
// all_gather, all_gather_v, gather and all_to_all, else one; broadcast has an output only, which the root
// finds filled. A chunk is cut into `parts` nearly equal blocks (the first ones longer). Block b is part b %
// parts of chunk b / parts. A piece is a run of neighbouring blocks.
// What is not there is not touched: `output` of reduce and gather away from the root, `input` of scatter
// likewise. barrier has neither: its programs move one element a block between scratch blocks, whatever is in
// them (run them with a count of 1 and any one-byte type).
//
// Meaning. A program means what it says when run step by step; a step may start as soon as no earlier step
// that it collides with (one writes what the other touches) is unfinished. What one rank sends another
// travels in the order of the steps; where a vector is cut into slices, each of which runs the whole program,
// in the order of (step, slice). Invariants, which the simulator checks:
//   1. the k-th send of i to j and the k-th receive of j from i have equally many elements;
//   2. steps run in that freedom, with sends taking any time, even until they are received, always end, and
//      always with the same bits;
//   3. nothing is written to `input`; each block of `output` ends with its final value. In place (below)
//      nothing is read from `input` after the block of `output` there has got another value;
//   4. only linked pairs (Fabric::path) exchange anything;
//   5. in reductions each element is computed in one order of operands, the same for all ranks.
//
// In place. all_reduce, reduce and all_to_all: input is where output is; all_gather(_v) and gather: input is
// chunk `rank` of output; reduce_scatter and scatter: output is chunk `rank` of input. A copy of a piece onto
// itself does nothing.
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
  int scratch_chunks = 0;       // chunks of `count` elements that scratch has
  std::optional<int> input_at;  // the block of output that block 0 of input may be in memory; may be negative
  std::vector<Step> steps;
  bool operator==(const Program&) const = default;
};

/// The call that a schedule is for. Sizes come in only with the executor and the predictions.
struct Shape {
  Operation operation{};
  int ranks = 1;
  int root = -1;
  /// False when this rank's input and output are surely different memory, which saves waiting and copies.
  /// What goes over the links is the same either way, so ranks may differ in it.
  bool in_place = true;
  bool operator==(const Shape&) const = default;
};

/// All names that carry out `operation` on this fabric, in a fixed order; none when it is not connected.
/// Names: "direct", "mesh", "ring", "recursive-doubling", "halving-doubling", "tree", "chain", "routes".
std::vector<std::string> algorithms_for(const Shape& shape, const Fabric& fabric);

/// The program of `rank`. nullopt when the algorithm does not exist or cannot do this here.
std::optional<Program> make_program(std::string_view algorithm, const Shape& shape, const Fabric& fabric,
                                    int rank);

/// Which earlier steps must be finished before a step may start: the colliding ones, ascending, without those
/// that others on the list imply block by block. Blocks of input and output that may be the same memory
/// (input_at) collide.
std::vector<std::vector<int>> dependencies(const Program& program);

}  // namespace jackal::collectives
