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

Engine::Engine(Room room, std::vector<Peer> peers, std::shared_ptr<OwnBuffers> own, const Limits& limits,
               Distance distance)
    : room_(std::move(room)),
      peers_(std::move(peers)),
      buffers_(peers_.size()),
      own_(std::move(own)),
      limits_(limits),
      distance_(distance),
      sources_(peers_.size()),
      posts_(peers_.size()) {}

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
  std::uint64_t seen = 0;
  room_.wait(request.watch, [&] {
    seen = flag.load(std::memory_order_acquire);
    return seen >> kNumberShift == tag_ >> kNumberShift;
  });
  if (seen == tag_) return;
  request.mismatch(room_.rank(member), room_.board(member).signatures[call_ % 2]);
  throw Error(Code::internal, request.call.text() + ": a mismatch was not reported", room_.rank(member));
}

void Engine::run(const ShmDomain::Request& request) {
  const Call& call = request.call;
  repeats_ = false;
  digest_ = digest_of(request.signature);
  number_call();
  const Shape shape = shape_of(request, room_.size());
  if (call.operation == Operation::all_reduce && shape.bytes <= limits_.slot) {
    all_reduce_small(request, shape.bytes);
    repeated_bytes_ = shape.bytes;
    repeats_ = true;
    return;
  }
  if (most_bytes(shape) <= limits_.slot) return small(request, shape);
  Large(*this, request, shape).run();
}

// The low bits of the call's number, then the digest: one comparison says that a member has come to the same
// call.
void Engine::number_call() {
  ++call_;
  tag_ = call_ << kNumberShift | digest_;
}

// Between two members all in one piece: the calls that the general way is made of would take a fifth of the
// time.
void Engine::repeat(const ShmDomain::Request& request) {
  number_call();
  const Call& call = request.call;
  if (room_.size() != 2 || call.count == 0) return all_reduce_small(request, repeated_bytes_);
  const std::size_t me = room_.me();
  Slot& mine = room_.slot(me, call_);
  const Slot& theirs = room_.slot(1 - me, call_);
  const std::size_t at = Slot::data_at(repeated_bytes_);
  if (distance_.far() && repeated_bytes_ > 56) {
    __builtin_prefetch(reinterpret_cast<std::byte*>(&mine) + 64, 1);
    __builtin_prefetch(&mine, 1);
  }
  copy_few(reinterpret_cast<std::byte*>(&mine) + at, request.in, repeated_bytes_);
  room_.board(me).signatures[call_ % 2] = request.signature;
  room_.publish(mine.flag, tag_);
  if (theirs.flag.load(std::memory_order_acquire) != tag_) await_post(1 - me, request);
  const void* const come = reinterpret_cast<const std::byte*>(&theirs) + at;
  if (me == 0)
    kernel_.pair(request.in, come, request.out, call.count);
  else
    kernel_.pair(come, request.in, request.out, call.count);
  if (call.op == Op::average) divide(call.dtype, request.out, call.count, 2);
}

void Engine::all_reduce_small(const ShmDomain::Request& request, std::size_t bytes) {
  const std::size_t me = room_.me();
  if (bytes > 0) copy_few(room_.data(me, call_, bytes), request.in, bytes);
  post(request.signature);
  await_posts(request);
  if (bytes == 0) return;
  for (std::size_t member = 0; member < room_.size(); ++member)
    sources_[member] = room_.data(member, call_, bytes);
  // It is in this processor's cache for sure. Beyond that many members it might be overwritten too soon.
  if (room_.size() <= kMostSources) sources_[me] = request.in;
  combine(request.call, sources_.data(), request.out, request.call.count, 0);
}

void Engine::small(const ShmDomain::Request& request, const Shape& shape) {
  const std::size_t me = room_.me();
  const void* in = shape.operation == Operation::broadcast ? request.out : request.in;
  const std::size_t bytes = input_bytes(shape, me);
  if (bytes > 0) std::memcpy(room_.data(me, call_, bytes), in, bytes);
  post(request.signature);
  await_posts(request);
  take_small(request, shape);
}

// Everything is in the slots by now, so that `out` may overlap `in`.
void Engine::take_small(const ShmDomain::Request& request, const Shape& shape) {
  const std::size_t me = room_.me();
  auto* out = static_cast<std::byte*>(request.out);
  if (reduces(shape.operation)) {
    const Piece own = piece_of(shape, me, me);
    if (own.bytes == 0) return;
    for (std::size_t member = 0; member < room_.size(); ++member)
      sources_[member] = room_.data(member, call_, input_bytes(shape, member)) + own.from;
    return combine(request.call, sources_.data(), out, own.bytes / shape.element, 0);
  }
  for (std::size_t member = 0; member < room_.size(); ++member) {
    const Piece piece = piece_of(shape, member, me);
    if (piece.bytes > 0 && !(member == me && shape.operation == Operation::broadcast))
      std::memcpy(out + piece.to, room_.data(member, call_, input_bytes(shape, member)) + piece.from,
                  piece.bytes);
  }
}

void run_alone(const ShmDomain::Request& request) {
  const Shape shape = shape_of(request, 1);
  const std::size_t bytes = output_bytes(shape, 0);
  if (bytes > 0 && shape.operation != Operation::broadcast && request.out != request.in)
    std::memmove(request.out, request.in, bytes);
}

}  // namespace jackal::collectives::shm
