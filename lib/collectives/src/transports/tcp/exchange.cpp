#include "transports/tcp/exchange.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "transports/tcp/socket.hpp"

namespace jackal::collectives {
namespace {

// How long a peer whose control connection has ended may still deliver what it sent before, and how long the
// reason for a broken data connection may take on the control connection.
constexpr auto kGrace = std::chrono::seconds(1);

void consume(std::deque<iovec>& queue, std::size_t bytes) {
  while (bytes > 0) {
    iovec& first = queue.front();
    const std::size_t used = std::min(bytes, first.iov_len);
    first.iov_base = static_cast<char*>(first.iov_base) + used;
    first.iov_len -= used;
    bytes -= used;
    if (first.iov_len == 0) queue.pop_front();
  }
}

}  // namespace

Exchange::Exchange(Mesh& mesh, const std::string& operation, Deadline deadline,
                   std::chrono::milliseconds timeout)
    : mesh_(mesh),
      operation_(operation),
      deadline_(deadline),
      timeout_(timeout),
      lanes_(static_cast<std::size_t>(mesh.size())) {
  // Those that ended before this call are not heard again.
  for (int rank = 0; rank < mesh.size(); ++rank)
    if (!mesh.peer(rank).control) lane(rank).doomed = Clock::now() + kGrace;
}

void Exchange::send(int to, const void* bytes, std::size_t size) {
  if (size > 0) lane(to).out.push_back({const_cast<void*>(bytes), size});
}

void Exchange::receive(int from, void* bytes, std::size_t size) {
  if (size > 0) lane(from).in.push_back({bytes, size});
}

void Exchange::run(Until until) {
  for (;;) {
    bool moved = false;
    for (int rank = 0; rank < mesh_.size(); ++rank) moved = move(rank) || moved;
    if (finished(until)) return;
    if (!moved) wait(until);
  }
}

bool Exchange::owes(int rank, Until until) const {
  return !lane(rank).in.empty() || (until == Until::done && !lane(rank).out.empty());
}

bool Exchange::finished(Until until) const {
  for (int rank = 0; rank < mesh_.size(); ++rank)
    if (owes(rank, until)) return false;
  return true;
}

bool Exchange::move(int rank) {
  const bool pushed = push(rank);
  return pull(rank) || pushed;
}

bool Exchange::push(int rank) {
  std::deque<iovec>& queue = lane(rank).out;
  if (queue.empty()) return false;
  std::array<iovec, 4> pieces;
  const std::size_t count = std::min(queue.size(), pieces.size());
  std::copy_n(queue.begin(), count, pieces.begin());
  const Moved moved = send_some(mesh_.peer(rank).data.get(), {pieces.data(), count});
  if (moved.error != 0) lost(rank, system_text(moved.error));
  consume(queue, moved.bytes);
  return moved.bytes > 0;
}

bool Exchange::pull(int rank) {
  std::deque<iovec>& queue = lane(rank).in;
  if (queue.empty()) return false;
  const Moved moved =
      receive_some(mesh_.peer(rank).data.get(), queue.front().iov_base, queue.front().iov_len);
  if (moved.error != 0) lost(rank, system_text(moved.error));
  if (moved.end) lost(rank, "it closed the connection");
  consume(queue, moved.bytes);
  return moved.bytes > 0;
}

void Exchange::wait(Until until) {
  std::vector<pollfd> entries;
  Deadline wake = deadline_;
  for (int rank = 0; rank < mesh_.size(); ++rank) {
    const short in = lane(rank).in.empty() ? short{0} : short{POLLIN};
    const short out = lane(rank).out.empty() ? short{0} : short{POLLOUT};
    const auto events = static_cast<short>(in | out);
    entries.push_back({events == 0 ? -1 : mesh_.peer(rank).data.get(), events, 0});
    entries.push_back({mesh_.peer(rank).control.get(), POLLIN, 0});
    if (owes(rank, until)) wake = std::min(wake, lane(rank).doomed);
  }
  const int ready = ::poll(entries.data(), static_cast<nfds_t>(entries.size()), poll_milliseconds(wake));
  if (ready < 0 && errno != EINTR)
    throw Error(Code::io, operation_ + ": cannot wait: " + system_text(errno), -1, "", "", operation_);
  for (int rank = 0; ready > 0 && rank < mesh_.size(); ++rank)
    if (entries[2 * static_cast<std::size_t>(rank) + 1].revents != 0) hear(rank);
  if (ready != 0) return;
  const Deadline now = Clock::now();
  for (int rank = 0; rank < mesh_.size(); ++rank)
    if (owes(rank, until) && now >= lane(rank).doomed) lost(rank, mesh_.peer(rank).trouble);
  if (now >= deadline_) late(until);
}

void Exchange::hear(int rank) {
  const News news = mesh_.listen(rank);
  for (const Frame& frame : news.frames)
    if (frame.type == FrameType::abort) throw error_of(frame, rank);
  if (news.closed) lane(rank).doomed = Clock::now() + kGrace;
}

void Exchange::lost(int rank, const std::string& why) {
  Peer& peer = mesh_.peer(rank);
  const Deadline patience = Clock::now() + kGrace;
  while (peer.control && !peer.left && wait_for(peer.control.get(), POLLIN, patience)) hear(rank);
  const std::string what =
      peer.left ? mesh_.name(rank) + " has left the group" : mesh_.name(rank) + " was lost: " + why;
  throw Error(Code::peer_lost, operation_ + ": " + what, rank, peer.host, peer.link, operation_);
}

void Exchange::late(Until until) const {
  std::string waited_for;
  int first = -1;
  for (int rank = 0; rank < mesh_.size(); ++rank) {
    if (!owes(rank, until)) continue;
    if (first < 0) first = rank;
    waited_for += (waited_for.empty() ? "" : ", ") + mesh_.name(rank);
  }
  const Peer& peer = mesh_.peer(first);
  throw Error(Code::timeout,
              operation_ + ": " + mesh_.name(mesh_.rank()) + " waited " + seconds_text(timeout_) + " for " +
                  waited_for,
              first, peer.host, peer.link, operation_);
}

}  // namespace jackal::collectives
