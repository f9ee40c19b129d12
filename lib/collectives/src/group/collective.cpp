#include "group/collective.hpp"

#include <poll.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <thread>

#include "transports/tcp/socket.hpp"

namespace jackal::collectives {
namespace {

// How long a peer whose control connection has ended may still deliver what it sent before, and how long the
// reason for a broken data connection may take on the control connection.
constexpr auto kGrace = std::chrono::seconds(1);

// Elements of a chunk that go through the program at a time.
constexpr std::int64_t kSliceBytes = 512 * 1024;

Lanes lanes_of(const std::vector<TcpLanes>& lanes) {
  Lanes made(lanes.size());
  for (std::size_t rank = 0; rank < lanes.size(); ++rank)
    for (const auto& cable : lanes[rank].cables) made[rank].push_back(cable.get());
  return made;
}

std::size_t checked_size(const Call& call, int copies) {
  const std::size_t size = dtype_size(call.dtype);
  if (size == 0)
    throw Error(Code::invalid_argument,
                call.text() + ": no such type; the numbers are 0 (bool) to 13 (complex64)", -1, "", "",
                call.text());
  if (call.count > std::numeric_limits<std::ptrdiff_t>::max() / size / static_cast<std::size_t>(copies))
    throw Error(Code::invalid_argument, call.text() + ": more bytes than memory can have", -1, "", "",
                call.text());
  return size;
}

void check_memory(const Call& call, const void* in, const void* out) {
  if (call.count > 0 && (in == nullptr || out == nullptr))
    throw Error(Code::invalid_argument, call.text() + ": a buffer is null", -1, "", "", call.text());
}

Piece block(Space space, int number) { return {space, number, 1}; }

// Rank r adds part r of everybody's vector in rank order and returns the sum to all.
Program all_sum_program(int rank, int size) {
  Program program{size, 1, 0, {}};
  const Piece own = block(Space::input, rank);
  const auto add = [&](Step::Kind kind, int peer, Piece a, Piece b, Piece to) {
    program.steps.push_back({kind, peer, a, b, to});
  };
  for (int i = 1; i < size; ++i)
    add(Step::Kind::send, (rank + i) % size, block(Space::input, (rank + i) % size), {}, {});
  Piece sum = rank == 0 ? own : block(Space::scratch, rank);
  if (rank > 1) add(Step::Kind::receive, 0, {}, {}, sum);
  for (int other = 1; other < size; ++other) {
    const Piece to = block(other == size - 1 ? Space::output : Space::scratch, rank);
    if (other == rank && rank == 1) {
      add(Step::Kind::reduce_receive, 0, own, {}, to);
    } else if (other == rank) {
      add(Step::Kind::reduce, -1, sum, own, to);
    } else {
      add(Step::Kind::receive_reduce, other, sum, {}, to);
    }
    sum = to;
  }
  for (int i = 1; i < size; ++i) add(Step::Kind::send, (rank + i) % size, sum, {}, {});
  for (int i = 1; i < size; ++i)
    add(Step::Kind::receive, (rank + i) % size, {}, {}, block(Space::output, (rank + i) % size));
  return program;
}

// From and to places that are given by rank: everybody's own to all others.
Program exchange_program(int rank, int size, bool barrier) {
  Program program{1, barrier ? size : 0, {}, {}};
  const Space space = barrier ? Space::scratch : Space::output;
  for (int i = 1; i < size; ++i)
    program.steps.push_back({Step::Kind::send, (rank + i) % size, block(space, rank), {}, {}});
  for (int i = 1; i < size; ++i)
    program.steps.push_back(
        {Step::Kind::receive, (rank + i) % size, {}, {}, block(space, (rank + i) % size)});
  return program;
}

class CallWatch final : public Watch {
public:
  CallWatch(Mesh& mesh, const Executor& executor, const Call& call, std::chrono::milliseconds timeout)
      : mesh_(mesh), executor_(executor), call_(call), timeout_(timeout), deadline_(Clock::now() + timeout) {
    doomed_.assign(static_cast<std::size_t>(mesh.size()), Deadline::max());
  }

  void look() override {
    const Deadline now = Clock::now();
    for (int rank = 0; rank < mesh_.size(); ++rank) hear(rank);
    const std::vector<int> awaited = executor_.awaited();
    for (const int rank : awaited) {
      Deadline& doomed = doomed_[static_cast<std::size_t>(rank)];
      if (!mesh_.peer(rank).control && doomed == Deadline::max()) doomed = now + kGrace;
      if (now >= doomed) lost(rank, mesh_.peer(rank).trouble);
    }
    if (now >= deadline_) late(awaited);
  }

  void lost(int rank, const std::string& why) override {
    Peer& peer = mesh_.peer(rank);
    const Deadline patience = Clock::now() + kGrace;
    while (peer.control && !peer.left && wait_for(peer.control.get(), POLLIN, patience)) hear(rank);
    fail(Code::peer_lost, rank,
         peer.left ? mesh_.name(rank) + " has left the group" : mesh_.name(rank) + " was lost: " + why);
  }

  std::span<const int> wake_descriptors() override {
    descriptors_.clear();
    for (int rank = 0; rank < mesh_.size(); ++rank)
      if (mesh_.peer(rank).control) descriptors_.push_back(mesh_.peer(rank).control.get());
    return descriptors_;
  }

  [[noreturn]] void fail(Code code, int rank, const std::string& what) const {
    const Peer& peer = mesh_.peer(rank);
    throw Error(code, call_.text() + ": " + what, rank, peer.host, peer.link, call_.text());
  }

private:
  void hear(int rank) {
    for (const Frame& frame : mesh_.listen(rank).frames)
      if (frame.type == FrameType::abort) throw error_of(frame, rank);
  }

  [[noreturn]] void late(const std::vector<int>& awaited) const {
    std::string names;
    for (const int rank : awaited) names += (names.empty() ? "" : ", ") + mesh_.name(rank);
    fail(Code::timeout, awaited.front(),
         mesh_.name(mesh_.rank()) + " waited " + seconds_text(timeout_) + " for " + names);
  }

  Mesh& mesh_;
  const Executor& executor_;
  const Call& call_;
  std::chrono::milliseconds timeout_;
  Deadline deadline_;
  std::vector<Deadline> doomed_;  // when a peer without control connection counts as lost
  std::vector<int> descriptors_;
};

}  // namespace

Collectives::Collectives(Mesh mesh, std::vector<TcpLanes> lanes)
    : mesh_(std::move(mesh)),
      lanes_(std::move(lanes)),
      executor_(lanes_of(lanes_),
                {mesh_.size(), static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))}) {}

void Collectives::run(const Call& call, const Program& program, const Memory& memory,
                      std::chrono::milliseconds timeout) {
  const std::string text = call.text();
  if (ended_)
    throw Error(ended_->code(), text + ": the group has ended: " + ended_->what(), ended_->rank(),
                ended_->host, ended_->link, text);
  if (mesh_.size() == 1) return;
  const Signature mine = Signature::of(++calls_, call);
  CallWatch watch(mesh_, executor_, call, timeout);
  const auto check = [&](int rank, std::span<const std::byte> header) {
    Signature theirs;
    std::copy(header.begin(), header.end(), theirs.bytes.begin());
    if (theirs == mine) return;
    throw Error(Code::mismatch,
                "the ranks' calls differ: " + mesh_.name(mesh_.rank()) + " called " + mine.text() + ", " +
                    mesh_.name(rank) + " called " + theirs.text(),
                rank, mesh_.peer(rank).host, mesh_.peer(rank).link, text);
  };
  try {
    executor_.run(program, {}, memory, call.dtype, call.op, kSliceBytes, mine.bytes, check, watch);
  } catch (const Error& error) {
    ended_ = error;
    mesh_.announce(error);
    mesh_.log().error(error.what());
    throw;
  } catch (const std::exception& error) {
    // Such as no memory for scratch: this rank cannot go on, so nobody can.
    ended_ = Error(Code::internal, text + ": " + mesh_.name(mesh_.rank()) + ": " + error.what(), mesh_.rank(),
                   mesh_.peer(mesh_.rank()).host, "", text);
    mesh_.announce(*ended_);
    throw Error(*ended_);
  }
}

void Collectives::all_sum(const void* in, void* out, std::size_t count, Dtype dtype,
                          std::chrono::milliseconds timeout) {
  const Call call{Operation::all_reduce, Op::sum, dtype, count};
  const std::size_t size = checked_size(call, 1);
  check_memory(call, in, out);
  if (mesh_.size() == 1 && count > 0) std::memmove(out, in, count * size);
  run(call, all_sum_program(mesh_.rank(), mesh_.size()), {in, out, count, {}}, timeout);
}

void Collectives::all_gather(const void* in, void* out, std::size_t count, Dtype dtype,
                             std::chrono::milliseconds timeout) {
  const Call call{Operation::all_gather, Op::sum, dtype, count};
  const std::size_t bytes = checked_size(call, mesh_.size()) * count;
  check_memory(call, in, out);
  // Sent from its place in `out`, so that `in` may lie anywhere in there.
  auto* const own = static_cast<std::byte*>(out) + bytes * static_cast<std::size_t>(mesh_.rank());
  if (bytes > 0) std::memmove(own, in, bytes);
  run(call, exchange_program(mesh_.rank(), mesh_.size(), false), {nullptr, out, count, {}}, timeout);
}

void Collectives::barrier(std::chrono::milliseconds timeout) {
  run({Operation::barrier, Op::sum, Dtype::uint8, 0}, exchange_program(mesh_.rank(), mesh_.size(), true),
      {nullptr, nullptr, 1, {}}, timeout);
}

}  // namespace jackal::collectives
