#include "collectives/matrix/play.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <stdexcept>

#include "collectives/matrix/reference.hpp"

namespace matrix {
namespace {

constexpr std::size_t kGuard = 4096;
constexpr std::size_t kAlignment = 64;
constexpr std::byte kGuardByte{0xa5};
constexpr std::byte kUntouched{0x5a};
// Replicated results above this are looked into by one rank alone; the others' digests say that they have it.
constexpr std::size_t kLookedIntoByAll = 16384;

std::uint64_t digest_of(std::span<const std::byte> bytes) {
  std::uint64_t digest = bytes.size();
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, 8);
    digest = mixed(digest, word);
  }
  for (; at < bytes.size(); ++at) digest = mixed(digest, std::to_integer<std::uint64_t>(bytes[at]));
  return digest;
}

bool all_are(std::span<const std::byte> bytes, std::byte value) {
  return std::all_of(bytes.begin(), bytes.end(), [value](std::byte byte) { return byte == value; });
}

void append(Bytes& to, const Bytes& more) { to.insert(to.end(), more.begin(), more.end()); }

// What each rank brings to all_gather_v: all, half, a quarter, nothing, in turn.
std::vector<std::size_t> uneven(std::size_t count, int ranks) {
  std::vector<std::size_t> counts;
  for (int rank = 0; rank < ranks; ++rank) counts.push_back(rank % 4 == 3 ? 0 : count >> (rank % 4));
  return counts;
}

// "…: these can: mesh, ring" → mesh, ring.
std::vector<std::string> names_in(const std::string& message) {
  std::vector<std::string> names = {""};
  for (const char letter : message.substr(message.rfind(':') + 1)) {
    const bool part = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-';
    if (part) names.back() += letter;
    if (!part && !names.back().empty()) names.emplace_back();
  }
  if (names.back().empty()) names.pop_back();
  return names;
}

}  // namespace

Area::Area(jackal::Group& group, bool buffer, std::size_t size, std::size_t offset) : size_(size) {
  const std::size_t all = kGuard + kAlignment + offset + size + kGuard;
  std::byte* base = nullptr;
  if (buffer) {
    buffer_.emplace(group, all);
    base = buffer_->as<std::byte>().data();
    std::fill_n(base, all, kGuardByte);
  } else {
    ordinary_.assign(all, kGuardByte);
    base = ordinary_.data();
  }
  const auto past = reinterpret_cast<std::uintptr_t>(base) % kAlignment;
  start_ = base + kGuard + (past == 0 ? 0 : kAlignment - past) + offset;
  std::fill_n(start_, size, kUntouched);
}

bool Area::guards_hold() const {
  return all_are({start_ - kGuard, kGuard}, kGuardByte) && all_are({start_ + size_, kGuard}, kGuardByte);
}

Play::Play(jackal::Group& group, const Case& one, std::string algorithm)
    : group_(group),
      case_(one),
      ranks_(group.size()),
      root_(one.root % ranks_),
      to_((group.rank() + 1) % ranks_),
      from_((group.rank() + ranks_ - 1) % ranks_),
      counts_(uneven(one.count, ranks_)) {
  options_.algorithm = std::move(algorithm);
  // Two buffers that are never the same memory, or whose size does not say where the one lies in the other.
  const Operation operation = case_.operation;
  if (operation == Operation::scatter || operation >= Operation::send_recv) case_.in_place = false;
  if (operation == Operation::broadcast) case_.in_place = true;

  const std::size_t width = size_of(case_.pattern.dtype);
  const std::size_t in = in_elements();
  const std::size_t out = out_elements();
  const Bytes mine = contributed(group.rank(), 0, in);
  // reduce_scatter's `out` lies within its `in`, the others' `in` within their `out`.
  const bool together = case_.in_place && has_result();
  if (together) {
    own_out_.emplace(group, case_.buffer, std::max(in, out) * width, case_.offset);
    std::byte* base = own_out_->data();
    const std::size_t shift = place_of_in() * width;
    in_ = operation == Operation::reduce_scatter ? base : base + shift;
    out_ = operation == Operation::reduce_scatter ? base + shift : base;
  } else {
    own_in_.emplace(group, case_.buffer, in * width, case_.offset);
    in_ = own_in_->data();
    // Where there is no result, `out` may be null and must not be touched.
    if (has_result() || case_.pattern.seed % 2 == 0) {
      own_out_.emplace(group, case_.buffer, (has_result() ? out : case_.count) * width, case_.offset);
      out_ = own_out_->data();
    }
  }
  if (!mine.empty()) std::memcpy(in_, mine.data(), mine.size());
}

bool Play::has_result() const {
  return is_root() || (case_.operation != Operation::reduce && case_.operation != Operation::gather);
}

std::size_t Play::in_elements() const {
  const std::size_t all = case_.count * static_cast<std::size_t>(ranks_);
  switch (case_.operation) {
    case Operation::reduce_scatter:
    case Operation::all_to_all:
      return all;
    case Operation::scatter:
      return is_root() ? all : 0;
    case Operation::all_gather_v:
      return counts_[static_cast<std::size_t>(group_.rank())];
    case Operation::broadcast:
      return is_root() ? case_.count : 0;
    case Operation::barrier:
      return 0;
    default:
      return case_.count;
  }
}

std::size_t Play::out_elements() const {
  const std::size_t all = case_.count * static_cast<std::size_t>(ranks_);
  switch (case_.operation) {
    case Operation::all_gather:
    case Operation::all_to_all:
      return all;
    case Operation::all_gather_v:
      return std::reduce(counts_.begin(), counts_.end());
    case Operation::gather:
      return is_root() ? all : 0;
    case Operation::reduce:
      return is_root() ? case_.count : 0;
    case Operation::barrier:
      return 0;
    default:
      return case_.count;
  }
}

// Where the smaller of two buffers in place lies in the larger, in elements.
std::size_t Play::place_of_in() const {
  const auto rank = static_cast<std::size_t>(group_.rank());
  switch (case_.operation) {
    case Operation::reduce_scatter:
    case Operation::all_gather:
    case Operation::gather:
      return rank * case_.count;
    case Operation::all_gather_v:
      return std::reduce(counts_.begin(), counts_.begin() + static_cast<std::ptrdiff_t>(rank));
    default:
      return 0;
  }
}

Bytes Play::contributed(int rank, std::size_t first, std::size_t count) const {
  return elements(case_.pattern, rank, first, count);
}

void Play::start() {
  if (case_.async)
    start_async();
  else
    start_blocking();
}

void Play::start_blocking() {
  const auto [seed, dtype, op, values] = case_.pattern;
  const std::size_t count = case_.count;
  switch (case_.operation) {
    case Operation::all_reduce:
      return group_.all_reduce(in_, out_, count, dtype, op, options_);
    case Operation::reduce_scatter:
      return group_.reduce_scatter(in_, out_, count, dtype, op, options_);
    case Operation::reduce:
      return group_.reduce(in_, out_, count, dtype, op, root_, options_);
    case Operation::all_gather:
      return group_.all_gather(in_, out_, count, dtype, options_);
    case Operation::all_gather_v:
      return group_.all_gather_v(in_, out_, counts_, dtype, options_);
    case Operation::broadcast:
      return group_.broadcast(out_, count, dtype, root_, options_);
    case Operation::gather:
      return group_.gather(in_, out_, count, dtype, root_, options_);
    case Operation::scatter:
      return group_.scatter(in_, out_, count, dtype, root_, options_);
    case Operation::all_to_all:
      return group_.all_to_all(in_, out_, count, dtype, options_);
    case Operation::barrier:
      return group_.barrier(options_);
    case Operation::sendrecv:
      return group_.sendrecv(in_, count, to_, out_, count, from_, dtype, 7);
    case Operation::send_recv:
      break;
  }
  // Around the circle: the odd ones receive first. Alone there is nobody to receive meanwhile.
  if (ranks_ == 1) {
    handles_.push_back(group_.recv_async(out_, count, dtype, 0, 3));
    group_.send(in_, count, dtype, 0, 3);
    return wait();
  }
  if (group_.rank() % 2 == 0) group_.send(in_, count, dtype, to_, 3);
  group_.recv(out_, count, dtype, from_, 3);
  if (group_.rank() % 2 != 0) group_.send(in_, count, dtype, to_, 3);
}

void Play::start_async() {
  const auto [seed, dtype, op, values] = case_.pattern;
  const std::size_t count = case_.count;
  const auto started = [this](jackal::Handle handle) { handles_.push_back(std::move(handle)); };
  switch (case_.operation) {
    case Operation::all_reduce:
      return started(group_.all_reduce_async(in_, out_, count, dtype, op, options_));
    case Operation::reduce_scatter:
      return started(group_.reduce_scatter_async(in_, out_, count, dtype, op, options_));
    case Operation::reduce:
      return started(group_.reduce_async(in_, out_, count, dtype, op, root_, options_));
    case Operation::all_gather:
      return started(group_.all_gather_async(in_, out_, count, dtype, options_));
    case Operation::all_gather_v:
      return started(group_.all_gather_v_async(in_, out_, counts_, dtype, options_));
    case Operation::broadcast:
      return started(group_.broadcast_async(out_, count, dtype, root_, options_));
    case Operation::gather:
      return started(group_.gather_async(in_, out_, count, dtype, root_, options_));
    case Operation::scatter:
      return started(group_.scatter_async(in_, out_, count, dtype, root_, options_));
    case Operation::all_to_all:
      return started(group_.all_to_all_async(in_, out_, count, dtype, options_));
    case Operation::barrier:
      return started(group_.barrier_async(options_));
    case Operation::sendrecv:
      return started(group_.sendrecv_async(in_, count, to_, out_, count, from_, dtype, 7, options_));
    case Operation::send_recv:
      started(group_.send_async(in_, count, dtype, to_, 3));
      return started(group_.recv_async(out_, count, dtype, from_, 3));
  }
}

void Play::wait() {
  jackal::Handle::wait_all(handles_);
  handles_.clear();
}

bool Play::test() {
  return std::all_of(handles_.begin(), handles_.end(), [](jackal::Handle& handle) { return handle.test(); });
}

std::string Play::reduction_problem() const {
  std::vector<Bytes> parts;
  const bool scattered = case_.operation == Operation::reduce_scatter;
  const std::size_t first = scattered ? static_cast<std::size_t>(group_.rank()) * case_.count : 0;
  for (int rank = 0; rank < ranks_; ++rank) parts.push_back(contributed(rank, first, case_.count));
  return problem_of(case_.pattern, parts,
                    {static_cast<const std::byte*>(out_), case_.count * size_of(case_.pattern.dtype)});
}

Bytes Play::expected_moves() const {
  Bytes all;
  const std::size_t count = case_.count;
  const auto chunk = static_cast<std::size_t>(group_.rank()) * count;
  switch (case_.operation) {
    case Operation::all_gather:
    case Operation::gather:
      for (int rank = 0; rank < ranks_; ++rank) append(all, contributed(rank, 0, count));
      return all;
    case Operation::all_gather_v:
      for (int rank = 0; rank < ranks_; ++rank)
        append(all, contributed(rank, 0, counts_[static_cast<std::size_t>(rank)]));
      return all;
    case Operation::all_to_all:
      for (int rank = 0; rank < ranks_; ++rank) append(all, contributed(rank, chunk, count));
      return all;
    case Operation::broadcast:
      return contributed(root_, 0, count);
    case Operation::scatter:
      return contributed(root_, chunk, count);
    default:
      return contributed(from_, 0, count);  // send and recv
  }
}

Verdict Play::judge() const {
  const std::size_t width = size_of(case_.pattern.dtype);
  for (const auto& area : {&own_in_, &own_out_})
    if (*area && !(*area)->guards_hold()) return {0, "wrote outside of its buffer"};
  if (own_in_) {
    const Bytes before = contributed(group_.rank(), 0, in_elements());
    if (!std::equal(before.begin(), before.end(), own_in_->bytes().begin())) return {0, "wrote into `in`"};
  }
  if (!has_result() && own_out_ && !all_are(own_out_->bytes(), kUntouched)) return {0, "wrote into `out`"};
  const std::size_t size = out_elements() * width;
  if (size == 0) return {};
  const std::span<const std::byte> got(static_cast<const std::byte*>(out_), size);
  const Verdict verdict = {digest_of(got), ""};
  const int judge = static_cast<int>(case_.pattern.seed % static_cast<std::uint64_t>(ranks_));
  if (replicates(case_.operation) && size > kLookedIntoByAll && judge != group_.rank()) return verdict;
  if (reduces(case_.operation)) return {verdict.digest, reduction_problem()};
  const Bytes expected = expected_moves();
  const auto differs = std::mismatch(expected.begin(), expected.end(), got.begin());
  if (differs.first == expected.end()) return verdict;
  return {verdict.digest, "byte " + std::to_string(differs.first - expected.begin()) + " of " +
                              std::to_string(size) + " is wrong"};
}

Verdict played(jackal::Group& group, const Case& one, const std::string& algorithm) {
  const auto once = [&] {
    Play play(group, one, algorithm);
    play.start();
    play.wait();
    return play.judge();
  };
  const Verdict first = once();
  if (!reduces(one.operation) || one.count > 100000) return first;
  const Verdict again = once();
  if (!first.problem.empty() || again.digest == first.digest) return first;
  return {first.digest, "the same call gave other bits the second time"};
}

std::vector<std::string> algorithms(jackal::Group& group, Operation operation) {
  Case nothing;
  nothing.operation = operation;
  Play play(group, nothing, "no-such-algorithm");
  try {
    play.start();
  } catch (const jackal::Error& error) {
    if (error.code() != jackal::Code::invalid_argument) throw;
    return names_in(error.what());
  }
  throw std::runtime_error("an algorithm that does not exist was accepted");
}

std::string algorithm_of(const Case& one, const std::vector<std::string>& names) {
  if (one.algorithm == 0 || names.empty() || !has_algorithms(one.operation)) return "";
  return names[static_cast<std::size_t>(one.algorithm - 1) % names.size()];
}

}  // namespace matrix
