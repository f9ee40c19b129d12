#include "transports/shm/large.hpp"

#include <cstring>

namespace jackal::collectives::shm {
namespace {

constexpr std::size_t kGrain = 64;  // bytes: parts begin at whole lines of their operand
constexpr std::uint64_t kCallsPerLook = 8;
constexpr std::size_t kAround = std::size_t{1}
                                << 40;  // as the total of a copy: it is not to stay in the cache
constexpr std::size_t kScratch = std::size_t{128} << 10;

bool has_two_phases(Operation operation) {
  return operation == Operation::all_reduce || operation == Operation::reduce;
}

}  // namespace

Large::Large(Engine& engine, const ShmDomain::Request& request, const Shape& shape)
    : engine_(engine),
      room_(engine.room_),
      limits_(engine.limits_),
      request_(request),
      shape_(shape),
      me_(room_.me()),
      two_phases_(has_two_phases(shape.operation)),
      common_(is_common(shape.operation)),
      in_(static_cast<const std::byte*>(shape.operation == Operation::broadcast ? request.out : request.in)),
      out_(static_cast<std::byte*>(request.out)),
      grain_(kGrain / shape.element),
      posts_(engine.posts_) {
  out_bytes_ = output_bytes(shape, me_);
  step_bytes_ = part_limit() * (common_ ? room_.size() : 1);
  steps_ = (shape.bytes + step_bytes_ - 1) / step_bytes_;
  measure_windows();
  take_window(0);
  settle_overlap();
}

// A gathered input inside of the output goes to its place there at once, and stays.
void Large::settle_overlap() {
  const std::size_t ins = input_bytes(shape_, me_);
  const std::size_t outs = output_bytes(shape_, me_);
  const bool overlaps = overlap(in_, ins, out_, outs);
  Post& mine = posts_[me_];
  mine = Post{};
  mine.in_place = overlaps ? 1 : 0;
  if (!overlaps || two_phases_ || shape_.operation == Operation::broadcast) return;
  const Piece own = piece_of(shape_, me_, me_);
  if (common_) {
    if (in_ != out_ + own.to) std::memmove(out_ + own.to, in_, own.bytes);
    in_ = out_ + own.to;
  } else if (shape_.operation != Operation::reduce_scatter || out_ != in_ + own.from) {
    mine.awkward = 1;
  }
}

// What is to be staged for sure is put into its window before the others hear of the call, which saves them a
// look at another line.
void Large::post() {
  Post& mine = posts_[me_];
  const std::size_t ins = input_bytes(shape_, me_);
  const std::size_t outs = output_bytes(shape_, me_);
  if (ins > 0) mine.in = engine_.own_->describe(in_, ins);
  if (outs > 0) mine.out = engine_.own_->describe(out_, outs);
  if (!mine.in.buffer || mine.awkward != 0) {
    put(0);
    mine.put = 1;
  }
  std::memcpy(room_.data(me_, engine_.call_, sizeof mine), &mine, sizeof mine);
  engine_.post(request_.signature);
}

void Large::read_posts() {
  engine_.await_posts(request_);
  if (engine_.call_ % kCallsPerLook == 0) look_how_far();
  for (std::size_t member = 0; member < room_.size(); ++member) {
    Post& post = posts_[member];
    if (member != me_) std::memcpy(&post, room_.data(member, engine_.call_, sizeof post), sizeof post);
    any_in_place_ |= post.in_place != 0;
    any_awkward_ |= post.awkward != 0;
    if (input_bytes(shape_, member) > 0) in_buffers_ &= static_cast<bool>(post.in.buffer);
    if (output_bytes(shape_, member) > 0) out_buffers_ &= static_cast<bool>(post.out.buffer);
    if (member != me_) engine_.buffers_[member].tidy(room_.board(member));
  }
}

// Times one line that a peer has just written and nobody has read.
void Large::look_how_far() {
  const std::size_t peer = (me_ + 1) % room_.size();
  const auto* line = room_.board(peer).signatures.data();
  const auto before = Clock::now();
  static_cast<void>(*reinterpret_cast<const volatile std::byte*>(line));
  std::atomic_signal_fence(std::memory_order_seq_cst);
  engine_.distance_.add(Clock::now() - before);
}

bool Large::pulls_input() const {
  return !any_awkward_ && in_buffers_ && most_bytes(shape_) >= limits_.buffer_from;
}

void Large::run() {
  post();
  read_posts();
  const bool pulled = pulls_input();
  if (!two_phases_) {
    pulled ? moved_pulled() : moved_staged();
  } else if (!pulled) {
    two_phases(false);
  } else if (!any_in_place_ && shape_.operation == Operation::all_reduce && shape_.bytes <= limits_.whole) {
    whole_pulled();
  } else if (shape_.operation == Operation::all_reduce && out_buffers_) {
    both_pulled();
  } else {
    two_phases(true);
  }
  engine_.steps_ += steps_;
}

// --- an all-reduce or reduce ---

void Large::whole_pulled() {
  combine_pulled(0, out_, count(), out_bytes_);
  finish();
}

void Large::both_pulled() {
  const Part own = part({0, count()}, me_);
  combine_pulled(own.first * shape_.element, out_ + own.first * shape_.element, own.count,
                 std::max(out_bytes_, shared_total()));
  reduced(0);
  for (std::size_t next = 1; next < room_.size(); ++next) {
    const std::size_t member = (me_ + next) % room_.size();
    const Part theirs = part({0, count()}, member);
    const std::size_t from = theirs.first * shape_.element;
    wait_reduced(member, 0);
    if (theirs.count == 0) continue;
    const std::size_t bytes = theirs.count * shape_.element;
    copy_out(out_ + from, mapped(member, posts_[member].out, from, bytes), bytes);
  }
  finish();
}

void Large::two_phases(bool pulled) {
  for (std::size_t step = 0; step < steps_; ++step) {
    if (step > 0) take_window(step);
    if (!pulled) put(step);
    staged(step);
    if (step > 0) take_results(block(step - 1), step - 1);
    wait_staged(step);
    combine_block(block(step), step, pulled);
    reduced(step);
  }
  take_results(block(steps_ - 1), steps_ - 1);
}

void Large::combine_block(const Block& block, std::size_t step, bool pulled) {
  const Part own = part(block, me_);
  const std::size_t from = own.first * shape_.element;
  std::byte* result = own_part(me_, step);
  if (own.count == 0) return;
  if (pulled) {
    combine_pulled(from, result, own.count, shared_total());
  } else {
    for (std::size_t member = 0; member < room_.size(); ++member)
      engine_.sources_[member] = member == me_ ? in_ + from : own_part(member, step);
    engine_.combine(request_.call, engine_.sources_.data(), result, own.count, shared_total());
  }
  if (out_bytes_ > 0) copy_out(out_ + from, result, own.count * shape_.element);
}

void Large::take_results(const Block& block, std::size_t step) {
  for (std::size_t next = 1; next < room_.size(); ++next) {
    const std::size_t member = (me_ + next) % room_.size();
    const Part theirs = part(block, member);
    wait_reduced(member, step);
    if (theirs.count > 0 && out_bytes_ > 0)
      copy_out(out_ + theirs.first * shape_.element, window(member, step) + member * stride_,
               theirs.count * shape_.element);
  }
}

// --- the other operations ---

void Large::moved_staged() {
  for (std::size_t step = 0; step < steps_; ++step) {
    if (step > 0) take_window(step);
    put(step);
    staged(step);
    place_own(step);
    wait_staged(step);
    take(step);
  }
}

void Large::moved_pulled() {
  const Piece own = piece_of(shape_, me_, me_);
  if (shape_.operation == Operation::reduce_scatter) {
    combine_pulled(own.from, out_, own.bytes / shape_.element, out_bytes_);
    return finish();
  }
  for (std::size_t next = 1; next < room_.size(); ++next) {
    const std::size_t member = (me_ + next) % room_.size();
    const Piece piece = piece_of(shape_, member, me_);
    if (piece.bytes > 0)
      copy_out(out_ + piece.to, mapped(member, posts_[member].in, piece.from, piece.bytes), piece.bytes);
  }
  if (own.bytes > 0 && out_ + own.to != in_ + own.from) copy_out(out_ + own.to, in_ + own.from, own.bytes);
  finish();
}

void Large::take(std::size_t step) {
  if (shape_.operation == Operation::reduce_scatter) return combine_pieces(step);
  for (std::size_t next = 1; next < room_.size(); ++next) {
    const std::size_t member = (me_ + next) % room_.size();
    const Piece theirs = piece(member, me_, step);
    if (theirs.bytes > 0)
      copy_out(out_ + theirs.to, common_ ? window(member, step) : own_part(member, step), theirs.bytes);
  }
}

void Large::combine_pieces(std::size_t step) {
  const Piece own = piece(me_, me_, step);
  if (own.bytes == 0) return;
  for (std::size_t member = 0; member < room_.size(); ++member)
    engine_.sources_[member] = own_part(member, step);
  if (room_.size() <= kMostSources)
    engine_.sources_[me_] = in_ + own.from;
  else
    collectives::copy(own_part(me_, step), in_ + own.from, own.bytes);
  engine_.combine(request_.call, engine_.sources_.data(), out_ + own.to, own.bytes / shape_.element,
                  out_bytes_);
}

void Large::place_own(std::size_t step) {
  const Piece own = piece(me_, me_, step);
  if (own.bytes > 0 && !reduces(shape_.operation) && out_ + own.to != in_ + own.from)
    std::memmove(out_ + own.to, in_ + own.from, own.bytes);
}

// Outputs that will not stay in a cache are written around it, though they come in blocks.
void Large::copy_out(std::byte* to, const std::byte* from, std::size_t bytes) const {
  collectives::copy(to, from, bytes, out_bytes_);
}

// --- where a step's data are ---

std::size_t Large::part_limit() const {
  const std::size_t most = std::min(limits_.part, room_.layout().part_bytes());
  return std::max(kGrain, most / kGrain * kGrain);
}

void Large::measure_windows() {
  if (two_phases_)
    stride_ = part(block(0), 0).count * shape_.element;
  else
    stride_ = std::min(step_bytes_, common_ ? most_bytes(shape_) : shape_.bytes);
  stride_ = (stride_ + kLine - 1) / kLine * kLine;
  const bool whole = common_ && !two_phases_;
  window_bytes_ = whole ? stride_ : stride_ * room_.size();
}

// The next one of the lap; a call whose windows have another size begins one in the other half of the stage.
void Large::take_window(std::size_t step) {
  Lap& lap = engine_.lap_;
  if (lap.window != window_bytes_) lap = {1 - lap.half, window_bytes_, 0};
  const std::size_t half = room_.layout().stage_bytes() / 2;
  windows_at_[step % 2] = lap.half * half + lap.next * lap.window;
  lap.next = (lap.next + 1) % (half / lap.window);
}

// What others are to read is written past the caches when they are far away: taking a line out of the cache
// of another complex takes longer than reading it from memory.
std::size_t Large::shared_total() const { return engine_.distance_.far() ? kAround : 0; }

std::byte* Large::window(std::size_t member, std::size_t step) const {
  return room_.stage(member) + windows_at_[step % 2];
}

// What `member` has put there for this rank; its own result, when that is this rank.
std::byte* Large::own_part(std::size_t member, std::size_t step) const {
  return window(member, step) + me_ * stride_;
}

Large::Block Large::block(std::size_t step) const { return part_of(count(), steps_, step, grain_); }

Part Large::part(const Block& block, std::size_t member) const {
  Part made = part_of(block.count, room_.size(), member, grain_);
  made.first += block.first;
  return made;
}

// What one step moves of a piece.
Piece Large::piece(std::size_t from, std::size_t to, std::size_t step) const {
  Piece made = piece_of(shape_, from, to);
  const std::size_t done = std::min(made.bytes, step * step_bytes_);
  return {made.from + done, std::min(made.bytes - done, step_bytes_), made.to + done};
}

void Large::put(std::size_t step) {
  if (step == 0 && posts_[me_].put != 0) return;
  std::byte* to = window(me_, step);
  if (common_ && !two_phases_) {
    const std::size_t bytes = input_bytes(shape_, me_);
    const std::size_t done = std::min(bytes, step * step_bytes_);
    if (done < bytes) collectives::copy(to, in_ + done, std::min(bytes - done, step_bytes_), shared_total());
    return;
  }
  const Block all = two_phases_ ? block(step) : Block{};
  for (std::size_t next = 1; next < room_.size(); ++next) {
    const std::size_t member = (me_ + next) % room_.size();
    const Part theirs = two_phases_ ? part(all, member) : Part{};
    const Piece moved = two_phases_ ? Piece{theirs.first * shape_.element, theirs.count * shape_.element, 0}
                                    : piece(me_, member, step);
    if (moved.bytes > 0)
      collectives::copy(to + member * stride_, in_ + moved.from, moved.bytes, shared_total());
  }
}

// --- reading what others hold ---

// Combines everybody's `elements` from byte `from` on. More sources than one kernel call takes are combined
// in several, which begin the result before all inputs are read: this member's own may be where it goes.
void Large::combine_pulled(std::size_t from, std::byte* out, std::size_t elements, std::size_t total_bytes) {
  const bool several = room_.size() > kMostSources;
  std::vector<std::byte>& scratch = engine_.scratch_;
  if (several) scratch.resize(kScratch);
  const std::size_t most = several ? kScratch / shape_.element : elements;
  for (std::size_t done = 0; done < elements; done += most) {
    const std::size_t now = std::min(most, elements - done);
    const std::size_t at = from + done * shape_.element;
    for (std::size_t member = 0; member < room_.size(); ++member)
      if (member != me_)
        engine_.sources_[member] = mapped(member, posts_[member].in, at, now * shape_.element);
    engine_.sources_[me_] = in_ + at;
    if (several) {
      collectives::copy(scratch.data(), in_ + at, now * shape_.element);
      engine_.sources_[me_] = scratch.data();
    }
    engine_.combine(request_.call, engine_.sources_.data(), out + done * shape_.element, now, total_bytes);
  }
}

// Bytes of a peer's operand in a buffer, where they are in this process.
const std::byte* Large::mapped(std::size_t member, const Operand& operand, std::size_t from,
                               std::size_t bytes) {
  if (engine_.same_process_[member]) return reinterpret_cast<const std::byte*>(operand.address) + from;
  std::string why;
  const std::byte* data = engine_.buffers_[member].find(operand, from + bytes, why);
  if (data == nullptr)
    throw Error(Code::io,
                request_.call.text() + ": a buffer of rank " + std::to_string(room_.rank(member)) +
                    " cannot be mapped: " + why,
                room_.rank(member));
  return data + from;
}

// --- telling and waiting ---

void Large::staged(std::size_t step) {
  if (step > 0 || posts_[me_].put == 0) room_.publish(room_.board(me_).staged, engine_.steps_ + step + 1);
}

void Large::wait_staged(std::size_t step) {
  for (std::size_t member = 0; member < room_.size(); ++member)
    if (member != me_ && (step > 0 || posts_[member].put == 0))
      room_.wait_for(room_.board(member).staged, engine_.steps_ + step + 1, request_.watch);
}

void Large::reduced(std::size_t step) { room_.publish(room_.board(me_).reduced, engine_.steps_ + step + 1); }

void Large::wait_reduced(std::size_t member, std::size_t step) {
  room_.wait_for(room_.board(member).reduced, engine_.steps_ + step + 1, request_.watch);
}

void Large::finish() {
  room_.publish(room_.board(me_).done, engine_.call_);
  room_.wait_for_all(&Board::done, engine_.call_, request_.watch);
}

}  // namespace jackal::collectives::shm
