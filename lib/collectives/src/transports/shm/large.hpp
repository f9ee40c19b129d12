// One call whose data do not fit into the slots. Its members post where their operands are, and so come to
// the same decision between two ways of reaching a peer's input:
//   staged  its owner copies it into its windows of the segment, step by step, while the others read;
//   pulled  read where it is, in a buffer that is mapped here too.
// Ordinary memory is always staged: the kernel can copy it from process to process (process_vm_readv), but
// takes longer for that than both copies through the segment, at every size, when inputs are written between
// calls (docs/benchmarks.md).
// An all-reduce or reduce has two phases: each member combines its part of everybody's input, then takes the
// other parts of the result out of the others' windows, or out of their `out`.
//
// Steps of a staged call, s = 0, 1, …, in lockstep; window s % 2 of the two that belong to the call:
//  1. put input into window s; publish staged = s + 1;
//  2. wait for everybody's staged = s + 1;
//  3. take, or combine, what they put there.
// Who has published s + 2 has taken everything of step s: window s % 2 is free again for step s + 2. The
// results of two-phase calls lie in the owner's own part of its window, are published as reduced = s + 1, and
// are taken by the others one step later, before they publish staged = s + 3: the same rule frees them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "transports/shm/engine.hpp"

namespace jackal::collectives::shm {

class Large {
public:
  Large(Engine& engine, const ShmDomain::Request& request, const Shape& shape);
  void run();

private:
  // What one step of a two-phase call covers, in elements of the operand.
  using Block = Part;

  void settle_overlap();
  void post();
  void read_posts();
  void look_how_far();
  bool pulls_input() const;

  void whole_pulled();
  void both_pulled();
  void two_phases(bool pulled);
  void moved_staged();
  void moved_pulled();

  std::size_t count() const { return request_.call.count; }
  std::size_t part_limit() const;
  void measure_windows();
  void take_window(std::size_t step);
  std::size_t shared_total() const;
  std::byte* window(std::size_t member, std::size_t step) const;
  std::byte* own_part(std::size_t member, std::size_t step) const;
  Block block(std::size_t step) const;
  Part part(const Block& block, std::size_t member) const;
  Piece piece(std::size_t from, std::size_t to, std::size_t step) const;
  void put(std::size_t step);
  void combine_block(const Block& block, std::size_t step, bool pulled);
  void take_results(const Block& block, std::size_t step);
  void take(std::size_t step);
  void combine_pieces(std::size_t step);
  void place_own(std::size_t step);

  void combine_pulled(std::size_t from, std::byte* out, std::size_t elements, std::size_t total_bytes);
  void copy_out(std::byte* to, const std::byte* from, std::size_t bytes) const;
  const std::byte* mapped(std::size_t member, const Operand& operand, std::size_t from, std::size_t bytes);

  void staged(std::size_t step);
  void wait_staged(std::size_t step);
  void reduced(std::size_t step);
  void wait_reduced(std::size_t member, std::size_t step);
  void finish();

  Engine& engine_;
  const Room& room_;
  const Limits& limits_;
  const ShmDomain::Request& request_;
  Shape shape_;
  std::size_t me_;
  bool two_phases_;
  bool common_;  // all take the same of a member
  const std::byte* in_;
  std::byte* out_;
  std::size_t grain_;  // elements of a line
  std::size_t out_bytes_;
  std::size_t steps_;
  std::size_t step_bytes_;  // of moved pieces in one step
  std::size_t stride_ = 0;  // from one member's part of a window to the next
  std::size_t window_bytes_ = 0;
  std::array<std::size_t, 2> windows_at_{};  // of the last two steps, in the stage
  bool any_in_place_ = false;
  bool any_awkward_ = false;
  bool in_buffers_ = true;    // all inputs are
  bool out_buffers_ = true;   // all outputs are
  std::vector<Post>& posts_;  // the engine's, so that a call allocates nothing
};

}  // namespace jackal::collectives::shm
