#include "control/meeting.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "control/bytes.hpp"
#include "transports/tcp/platform.hpp"
#include "transports/tcp/socket.hpp"

namespace jackal::collectives {
namespace {

// A rank says hello at once; whoever is silent for this long is none.
constexpr auto kStrangerPatience = std::chrono::seconds(10);
constexpr std::size_t kMaxStrangers = 256;
// A rank that does not answer may have failed; if so, rank 0 passes on the reason within this time.
constexpr auto kVerdictPatience = std::chrono::seconds(1);
// What is around a meeting may have a reason to end it that wakes nobody.
constexpr auto kLookEvery = std::chrono::milliseconds(50);

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

// Reads once into `reader` without waiting; why nothing more can come, or "". Once, so that whoever sends
// without end is stopped by what the frame reader says.
std::string fill(int fd, FrameReader& reader) {
  std::array<char, 4096> chunk;
  const Moved moved = receive_some(fd, chunk.data(), chunk.size());
  reader.feed({chunk.data(), moved.bytes});
  if (moved.end) return "it closed the connection without a word (is it of another job?)";
  return moved.error == 0 ? "" : system_text(moved.error);
}

}  // namespace

Meeting::Meeting(const Job& job, std::chrono::milliseconds timeout, const Log& log, Watch* around)
    : job_(job),
      deadline_(Clock::now() + timeout),
      mesh_(job.rank, job.size, job.secret, log),
      around_(around),
      listens_(static_cast<std::size_t>(job.size)) {
  for (std::size_t rank = 0; rank < job.hosts.size(); ++rank)
    mesh_.peer(static_cast<int>(rank)).host = job.hosts[rank];
  if (mesh_.peer(job.rank).host.empty()) mesh_.peer(job.rank).host = host_name();
}

Error Meeting::error(Code code, const std::string& what, int rank, const std::string& link) const {
  return Error(code, what, rank, rank < 0 ? "" : mesh_.peer(rank).host, link, "init");
}

void Meeting::greet(int to, UniqueFd connection, const Endpoint& listens) {
  Hello hello{Purpose::control,           0,      job_.id, job_.rank, job_.size, random_nonce(),
              mesh_.peer(job_.rank).host, listens};
  const std::string frame = encode_frame(FrameType::hello, hello.encode(), job_.secret);
  const int failed = send_all(connection.get(), frame, deadline_);
  const std::string link = SocketAddress::remote_of(connection.get()).text();
  Outbound outbound{std::move(connection), FrameReader(job_.secret, kStrangerLimit), to,
                    std::move(hello.nonce), link};
  unanswered_.clear();
  if (failed != 0) return give_up(outbound, system_text(failed));
  outbound_.push_back(std::move(outbound));
}

void Meeting::give_up(const Outbound& outbound, const std::string& why) {
  unanswered_ = why;
  if (failure_ || outbound.rank == 0) return;
  failure_ = error(Code::link_down,
                   mesh_.name(outbound.rank) + " at " + outbound.link + " did not answer " +
                       mesh_.name(job_.rank) + ": " + why,
                   outbound.rank, outbound.link);
  failure_until_ = Clock::now() + kVerdictPatience;
}

void Meeting::send(int to, FrameType type, std::string_view body) {
  const int failed = send_all(mesh_.peer(to).control.get(), encode_frame(type, body, job_.secret), deadline_);
  // A peer that is gone is better reported by what its own connection says.
  if (failed != 0) hear(to);
  if (failed != 0 && mesh_.peer(to).control)
    throw error(Code::peer_lost, "cannot send to " + mesh_.name(to) + ": " + system_text(failed), to);
}

void Meeting::send_to_all(FrameType type, std::string_view body) {
  for (int rank = 0; rank < job_.size; ++rank)
    if (mesh_.peer(rank).control) send(rank, type, body);
}

void Meeting::run_until(const std::function<bool()>& done, const std::function<Error()>& late) {
  while (!done()) {
    if (failure_ && Clock::now() >= failure_until_) throw Error(*failure_);
    if (Clock::now() >= deadline_) throw late();
    wait();
  }
}

void Meeting::pause(std::chrono::milliseconds time) {
  std::vector<pollfd> nothing;
  poll(nothing, std::min(deadline_, Clock::now() + time));
}

// Up to `until`, or shorter: what is around this meeting has its turn. `entries` stay as they are but for
// what came.
int Meeting::poll(std::vector<pollfd>& entries, Deadline until) {
  if (around_ == nullptr)
    return ::poll(entries.data(), static_cast<nfds_t>(entries.size()), poll_milliseconds(until));
  around_->look();
  const std::size_t own = entries.size();
  for (const int descriptor : around_->wake_descriptors()) entries.push_back({descriptor, POLLIN, 0});
  const int ready = ::poll(entries.data(), static_cast<nfds_t>(entries.size()),
                           poll_milliseconds(std::min(until, Clock::now() + kLookEvery)));
  entries.resize(own);
  return ready;
}

void Meeting::wait() {
  std::vector<pollfd> entries;
  Deadline until = failure_ ? std::min(deadline_, failure_until_) : deadline_;
  entries.push_back({listener_.get(), POLLIN, 0});
  for (const Inbound& one : inbound_) {
    entries.push_back({one.fd.get(), POLLIN, 0});
    until = std::min(until, one.until);
  }
  for (const Outbound& one : outbound_) entries.push_back({one.fd.get(), POLLIN, 0});
  for (int rank = 0; rank < job_.size; ++rank) entries.push_back({mesh_.peer(rank).control.get(), POLLIN, 0});
  if (poll(entries, until) < 0) {
    if (errno == EINTR) return;
    throw error(Code::io, "cannot wait for connections: " + system_text(errno));
  }
  std::size_t at = 1;
  const bool arrived = entries[0].revents != 0;
  inbound_.remove_if([&](Inbound& one) {
    const bool ready = entries[at++].revents != 0;
    return ready ? !advance(one) : Clock::now() >= one.until;
  });
  outbound_.remove_if([&](Outbound& one) { return entries[at++].revents != 0 && !advance(one); });
  for (int rank = 0; rank < job_.size; ++rank)
    if (entries[at++].revents != 0) hear(rank);
  if (arrived) accept_all();
}

void Meeting::accept_all() {
  while (UniqueFd fd = accept_stream(listener_.get())) {
    tune_stream(fd.get());
    const std::string link = SocketAddress::remote_of(fd.get()).text();
    if (inbound_.size() >= kMaxStrangers) inbound_.pop_front();
    inbound_.push_back(
        {std::move(fd), FrameReader(job_.secret, kStrangerLimit), Clock::now() + kStrangerPatience, link});
  }
  if (out_of_descriptors(errno)) throw error(Code::io, "cannot take a connection: " + system_text(errno));
}

bool Meeting::advance(Inbound& inbound) {
  const std::string gone = fill(inbound.fd.get(), inbound.reader);
  const auto frame = inbound.reader.next();
  if (!frame) {
    const std::string why = inbound.reader.problem().empty() ? gone : inbound.reader.problem();
    if (!why.empty()) mesh_.log().warn("dropped a connection from " + inbound.link + ": " + why);
    return why.empty();
  }
  const auto hello = frame->type == FrameType::hello ? Hello::decode(frame->body) : std::nullopt;
  if (!hello || hello->job != job_.id) {
    mesh_.log().warn("dropped a connection from " + inbound.link + ": it is of another job");
    return false;
  }
  const std::string why = objection(*hello);
  if (why.empty()) {
    admit(inbound, *hello);
    return false;
  }
  refused_ = rank_name(hello->rank, hello->host) + " at " + inbound.link + " was refused: " + why;
  mesh_.log().warn(refused_);
  ByteWriter text;
  text.text(why);
  // Whether it arrives or not, the stranger is dropped.
  send_all(inbound.fd.get(), encode_frame(FrameType::refusal, text.bytes(), job_.secret), Clock::now());
  return false;
}

std::string Meeting::objection(const Hello& hello) const {
  if (hello.size != job_.size)
    return "it counts " + std::to_string(hello.size) + " ranks, rank " + std::to_string(job_.rank) +
           " counts " + std::to_string(job_.size);
  // Who may connect: everybody to rank 0, otherwise higher ranks to lower ones.
  if (hello.rank <= job_.rank) return "rank " + std::to_string(hello.rank) + " is not to connect here";
  if (hello.purpose != Purpose::control) return "data connections are made once all ranks have met";
  const Peer& peer = mesh_.peer(hello.rank);
  if (peer.control) return "a rank " + std::to_string(hello.rank) + " has already come from " + peer.host;
  return "";
}

void Meeting::admit(Inbound& inbound, const Hello& hello) {
  const std::string welcome =
      encode_frame(FrameType::welcome, Welcome{hello.nonce, job_.rank}.encode(), job_.secret);
  if (send_all(inbound.fd.get(), welcome, deadline_) != 0) return;
  Peer& peer = mesh_.peer(hello.rank);
  if (peer.host.empty()) peer.host = hello.host;
  peer.link = inbound.link;
  inbound.reader.set_limit(kRankLimit);
  peer.control = std::move(inbound.fd);
  peer.reader = std::move(inbound.reader);
  listens_[static_cast<std::size_t>(hello.rank)] = hello.listens;
  mesh_.log().debug(mesh_.name(hello.rank) + " has come from " + inbound.link);
}

bool Meeting::advance(Outbound& outbound) {
  const std::string gone = fill(outbound.fd.get(), outbound.reader);
  const auto frame = outbound.reader.next();
  if (!frame) {
    const std::string why = outbound.reader.problem().empty() ? gone : outbound.reader.problem();
    if (!why.empty()) give_up(outbound, why);
    return why.empty();
  }
  if (frame->type == FrameType::refusal)
    throw error(Code::invalid_argument,
                rank_name(outbound.rank, mesh_.peer(outbound.rank).host) + " at " + outbound.link +
                    " refused this rank: " + ByteReader(frame->body).text(),
                outbound.rank, outbound.link);
  const auto welcome = frame->type == FrameType::welcome ? Welcome::decode(frame->body) : std::nullopt;
  if (!welcome || welcome->nonce != outbound.nonce || welcome->rank != outbound.rank) {
    give_up(outbound, "its answer is not to this connection");
    return false;
  }
  Peer& peer = mesh_.peer(outbound.rank);
  peer.link = outbound.link;
  outbound.reader.set_limit(kRankLimit);
  peer.control = std::move(outbound.fd);
  peer.reader = std::move(outbound.reader);
  hear(outbound.rank);  // the table may have come with the welcome
  return false;
}

void Meeting::hear(int rank) {
  const News news = mesh_.listen(rank);
  for (const Frame& frame : news.frames) heard(rank, frame);
  // Others than rank 0 may already have been told to go, and be done, before rank 0's word comes here.
  const Peer& peer = mesh_.peer(rank);
  if (news.closed && !go_ && (rank == 0 || job_.rank == 0))
    throw error(Code::peer_lost, mesh_.name(rank) + " was lost during init: " + peer.trouble, rank);
}

void Meeting::heard(int rank, const Frame& frame) {
  if (frame.type == FrameType::abort) throw error_of(frame, rank);
  if (frame.type == FrameType::ready && job_.rank == 0) ++ready_;
  if (frame.type == FrameType::go && rank == 0) go_ = true;
  // From a rank that has been told to go already.
  if (frame.type == FrameType::status) mesh_.peer(rank).kept.push_back(frame);
  if (frame.type != FrameType::table || rank != 0) return;
  auto table = decode_table(frame.body);
  if (!table || table->size() != static_cast<std::size_t>(job_.size))
    throw error(Code::internal, "rank 0 sent a table of ranks that cannot be read", 0);
  table_ = std::move(*table);
  for (int other = 0; other < job_.size; ++other)
    if (mesh_.peer(other).host.empty()) mesh_.peer(other).host = table_[static_cast<std::size_t>(other)].host;
}

}  // namespace jackal::collectives
