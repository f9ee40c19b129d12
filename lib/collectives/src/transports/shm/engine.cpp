#include "transports/shm/engine.hpp"

#include <bit>
#include <cstring>
#include <utility>

#include "transports/shm/large.hpp"

namespace jackal::collectives::shm {
namespace {

constexpr int kNumberShift = 48;

// Of what ranks must agree on in a call, without its number.
std::uint64_t digest_of(const Signature& signature) {
  std::uint64_t words[4];
  static_assert(sizeof words == Signature::kSize);
  std::memcpy(words, signature.bytes.data(), sizeof words);
  std::uint64_t a = (words[1] ^ std::rotl(words[2], 29)) * 0x9e3779b97f4a7c15U;
  std::uint64_t b = (words[3] ^ std::rotl(words[2], 31)) * 0xc2b2ae3d27d4eb4fU;
  a ^= a >> 32;
  b ^= b >> 29;
  return (a + std::rotl(b, 17)) * 0x165667b19e3779f9U >> (64 - kNumberShift);
}

// So many bytes of data that do not fit beside the flag are fetched with every look at it, so that they come
// over with it and not after it. Of two to nine lines an all-reduce takes two thirds of the time, on near
// cores as on far ones; with more the looks become too rare.
constexpr std::size_t kAhead = 8 * kCacheLine;

// Of few bytes, where calling memcpy would take longer than the copy.
void copy_few(std::byte* to, const void* from, std::size_t bytes) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  if (bytes < kWord || bytes > 8 * kWord) {
    std::memcpy(to, from, bytes);
    return;
  }
  const auto* source = static_cast<const std::byte*>(from);
  const auto move = [&](std::size_t at) { std::memcpy(to + at, source + at, kWord); };
  for (std::size_t at = 0; at + kWord < bytes; at += kWord) move(at);
  move(bytes - kWord);
}

Shape shape_of(const ShmDomain::Request& request, std::size_t members) {
  const Call& call = request.call;
  Shape shape;
  shape.operation = call.operation;
  shape.members = members;
  shape.element = dtype_size(call.dtype);
  shape.bytes = call.count * shape.element;
  if (call.root >= 0) shape.root = static_cast<std::size_t>(call.root);
  if (call.operation == Operation::all_gather_v) {
    shape.counts = request.counts;
    shape.bytes = *std::max_element(shape.counts.begin(), shape.counts.end()) * shape.element;
  }
  return shape;
}

}  // namespace

Engine::Engine(Room room, std::vector<bool> same_process, std::shared_ptr<OwnBuffers> own,
               const Limits& limits, Distance distance)
    : room_(std::move(room)),
      same_process_(std::move(same_process)),
      buffers_(same_process_.size()),
      own_(std::move(own)),
      limits_(limits),
      distance_(distance),
      sources_(same_process_.size()),
      posts_(same_process_.size()) {}

std::size_t Engine::memory_bytes() const {
  return room_.segment()->size() + Mapping::kHeader + scratch_.size();
}

const Kernel& Engine::kernel(const Call& call, std::size_t total_bytes) {
  if (call.op != kernel_op_ || call.dtype != kernel_dtype_ || total_bytes != kernel_bytes_) {
    kernel_ = kernel_of(call.op, call.dtype, total_bytes);
    kernel_op_ = call.op;
    kernel_dtype_ = call.dtype;
    kernel_bytes_ = total_bytes;
  }
  return kernel_;
}

void Engine::combine(const Call& call, const void* const* sources, void* out, std::size_t count,
                     std::size_t total_bytes) {
  const Kernel& combine = kernel(call, total_bytes);
  const std::size_t members = room_.size();
  if (members == 2) {
    combine.pair(sources[0], sources[1], out, count);
  } else {
    combine.many(sources, std::min(members, kMostSources), out, count);
    for (std::size_t next = kMostSources; next < members; ++next)
      combine.pair(out, sources[next], out, count);
  }
  if (call.op == Op::average) divide(call.dtype, out, count, static_cast<int>(members));
}

void Engine::post(const Signature& signature) {
  room_.board(room_.me()).signatures[call_ % 2] = signature;
  room_.publish(room_.slot(room_.me(), call_).flag, tag_);
}

void Engine::await_posts(const ShmDomain::Request& request) {
  for (std::size_t member = 0; member < room_.size(); ++member)
    if (member != room_.me() && room_.slot(member, call_).flag.load(std::memory_order_acquire) != tag_)
      await_post(member, request);
}

void Engine::await_post(std::size_t member, const ShmDomain::Request& request) {
  const std::atomic<std::uint64_t>& flag = room_.slot(member, call_).flag;
  const std::size_t bytes = large() ? sizeof(Post) : input_bytes(shape_, member);
  const std::byte* data = room_.data(member, call_, bytes);
  const bool beside_flag = Slot::data_at(bytes) < Slot::kMostDataAt;
  const std::size_t ahead = beside_flag ? 0 : std::min(bytes, kAhead);
  std::uint64_t seen = 0;
  room_.wait(request.watch, [&] {
    for (std::size_t at = 0; at < ahead; at += kCacheLine) __builtin_prefetch(data + at);
    seen = flag.load(std::memory_order_acquire);
    return seen >> kNumberShift == tag_ >> kNumberShift;
  });
  if (seen == tag_) return;
  request.mismatch(room_.rank(member), room_.board(member).signatures[call_ % 2]);
  throw Error(Code::internal, request.call.text() + ": a mismatch was not reported", room_.rank(member));
}

void Engine::run(const ShmDomain::Request& request) {
  repeats_ = false;
  digest_ = digest_of(request.signature);
  number_call();
  shape_ = shape_of(request, room_.size());
  if (large()) return Large(*this, request, shape_).run();
  small(request);
  repeats_ = shape_.operation != Operation::all_gather_v;  // whose counts are the caller's
}

// The low bits of the call's number, then the digest: one comparison says that a member has come to the same
// call.
void Engine::number_call() {
  ++call_;
  tag_ = call_ << kNumberShift | digest_;
}

void Engine::repeat(const ShmDomain::Request& request) {
  number_call();
  small(request);
}

void Engine::small(const ShmDomain::Request& request) {
  const void* in = shape_.operation == Operation::broadcast ? request.out : request.in;
  const std::size_t bytes = input_bytes(shape_, room_.me());
  if (bytes > 0) copy_few(room_.data(room_.me(), call_, bytes), in, bytes);
  post(request.signature);
  await_posts(request);
  if (reduces(shape_.operation))
    combine_small(request);
  else
    take_small(request);
}

// Where this member's input of a small call is to be taken from: as long as nothing overwrites it, from the
// caller. Out of the slot it would have to wait until the other processor has given the line back.
const std::byte* Engine::own_input(const ShmDomain::Request& request) const {
  const std::size_t me = room_.me();
  const std::size_t bytes = input_bytes(shape_, me);
  const auto* in = static_cast<const std::byte*>(request.in);
  if (overlap(in, bytes, static_cast<const std::byte*>(request.out), output_bytes(shape_, me)))
    return room_.data(me, call_, bytes);
  return in;
}

// Everything is in the slots by now, so that `out` may overlap `in`.
void Engine::combine_small(const ShmDomain::Request& request) {
  const std::size_t me = room_.me();
  const Piece own = piece_of(shape_, me, me);
  if (own.bytes == 0) return;
  for (std::size_t member = 0; member < room_.size(); ++member)
    sources_[member] = room_.data(member, call_, input_bytes(shape_, member)) + own.from;
  // With more members the result is begun before all inputs are read.
  if (room_.size() <= kMostSources) {
    const auto* in = static_cast<const std::byte*>(request.in) + own.from;
    sources_[me] = in == request.out ? in : own_input(request) + own.from;
  }
  combine(request.call, sources_.data(), request.out, own.bytes / shape_.element, 0);
}

void Engine::take_small(const ShmDomain::Request& request) {
  const std::size_t me = room_.me();
  auto* const out = static_cast<std::byte*>(request.out);
  for (std::size_t member = 0; member < room_.size(); ++member) {
    const Piece piece = piece_of(shape_, member, me);
    if (piece.bytes == 0 || (member == me && shape_.operation == Operation::broadcast)) continue;
    const std::byte* from =
        member == me ? own_input(request) : room_.data(member, call_, input_bytes(shape_, member));
    copy_few(out + piece.to, from + piece.from, piece.bytes);
  }
}

void run_alone(const ShmDomain::Request& request) {
  const Shape shape = shape_of(request, 1);
  const std::size_t bytes = output_bytes(shape, 0);
  if (bytes > 0 && shape.operation != Operation::broadcast && request.out != request.in)
    std::memmove(request.out, request.in, bytes);
}

}  // namespace jackal::collectives::shm
