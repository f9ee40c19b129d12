#include "group/lookout.hpp"

#include <algorithm>

#include "control/bytes.hpp"
#include "transports/tcp/socket.hpp"

namespace jackal::collectives {
namespace {

// How long a rank whose control connection has ended may still deliver what it sent before, and how long the
// reason for a broken data connection may take on the control connection.
constexpr auto kGrace = std::chrono::seconds(1);
// A call that has waited this long asks what the others are doing; and again after as long.
constexpr auto kPatience = std::chrono::milliseconds(500);

}  // namespace

Lookout::Lookout(Mesh& mesh, std::mutex& control, Messages& messages, int wake_descriptor,
                 std::function<void()> attend, std::function<std::uint32_t()> queued)
    : mesh_(mesh),
      control_(control),
      messages_(messages),
      wake_descriptor_(wake_descriptor),
      attend_(std::move(attend)),
      queued_(std::move(queued)),
      seen_(static_cast<std::size_t>(mesh.size())) {}

void Lookout::begin(const std::shared_ptr<Message>& message) {
  message_ = message;
  timeout_ = message->timeout;
  started_ = false;
}

void Lookout::start(Deadline now) {
  started_ = true;
  since_ = now;
  deadline_ = now + timeout_;
  tell_at_ = now + std::min<Clock::duration>(kPatience, timeout_ / 2);
  dirty_ = true;
  // What came before this rank waited for anything.
  hear_all(now, true);
}

void Lookout::look() {
  const Deadline now = Clock::now();
  const bool busy = call_ != nullptr || message_;
  attend_();
  if (busy && !started_) start(now);
  hear_all(now, false);
  messages_.progress();
  check_gone(now);
  check_messages(now);
  if (!busy) return;
  if (now >= tell_at_) tell(now);
  if (dirty_) compare();
  if (now >= deadline_) late(now);
}

std::span<const int> Lookout::wake_descriptors() {
  descriptors_.assign(1, wake_descriptor_);
  for (int rank = 0; rank < mesh_.size(); ++rank)
    if (mesh_.peer(rank).control) descriptors_.push_back(mesh_.peer(rank).control.get());
  entries_.clear();
  messages_.add_descriptors(entries_);
  for (const pollfd& entry : entries_) descriptors_.push_back(entry.fd);
  return descriptors_;
}

void Lookout::hear_all(Deadline now, bool every) {
  entries_.clear();
  for (int rank = 0; rank < mesh_.size(); ++rank)
    entries_.push_back({mesh_.peer(rank).control.get(), POLLIN, 0});
  if (!every && ::poll(entries_.data(), static_cast<nfds_t>(entries_.size()), 0) <= 0) return;
  for (int rank = 0; rank < mesh_.size(); ++rank)
    if (every || entries_[static_cast<std::size_t>(rank)].revents != 0) hear(rank, now);
}

void Lookout::hear(int rank, Deadline now) {
  News news;
  {
    const std::lock_guard lock(control_);
    news = mesh_.listen(rank);
  }
  for (const Frame& frame : news.frames) heard(rank, frame, now);
  if (news.closed) seen(rank).gone = now + kGrace;
}

void Lookout::heard(int rank, const Frame& frame, Deadline now) {
  if (frame.type == FrameType::abort) ended(error_of(frame, rank));
  if (frame.type == FrameType::goodbye) {
    ByteReader reader(frame.body);
    seen(rank).calls = reader.number<std::uint64_t>();
    seen(rank).left = true;
    seen(rank).gone = now + kGrace;
  }
  if (frame.type != FrameType::status) return;
  const bool first = !seen(rank).status;
  seen(rank).status = Status::decode(frame.body, mesh_.size());
  seen(rank).told = now;
  dirty_ = true;
  // Who asks is answered once, so that it knows soon.
  if (first && started_ && (call_ != nullptr || message_)) tell(now);
}

// Another rank has failed in an operation, or ended the group between two.
void Lookout::ended(const Error& reason) const {
  const std::string operation = text();
  if (!reason.operation.empty() || operation.empty()) throw Error(reason);
  throw Error(reason.code(), operation + ": " + reason.what(), reason.rank(), reason.host, reason.link,
              operation);
}

void Lookout::check_gone(Deadline now) {
  for (int rank = 0; rank < mesh_.size(); ++rank) {
    const Seen& peer = seen(rank);
    if (!peer.gone) continue;
    if (call_ != nullptr && peer.left && peer.calls < number_) gone(rank, text());
    if (now < *peer.gone) continue;
    if (call_ != nullptr && !peer.left) gone(rank, text());
    for (const std::shared_ptr<Message>& message : messages_.open())
      if (message->peer == rank) gone(rank, message->text());
  }
}

void Lookout::check_messages(Deadline now) {
  if (!messages_.waiting()) return;
  const Messages::Stranded stranded = messages_.stranded();
  if (stranded.message) {
    if (!message_) message_ = stranded.message;
    lost(stranded.hop, stranded.why);
  }
  for (const std::shared_ptr<Message>& message : messages_.open()) {
    if (now < message->deadline) continue;
    const std::string text = message->text();
    throw error(Code::timeout, text,
                mesh_.name(mesh_.rank()) + " waited " + seconds_text(message->timeout) + " for " +
                    mesh_.name(message->peer),
                message->peer);
  }
}

std::optional<Signature> Lookout::earlier(std::uint64_t number) const {
  if (number == 0 || number > number_ || number + signatures_.size() <= number_) return std::nullopt;
  return signatures_[number % signatures_.size()];
}

void Lookout::compare() {
  dirty_ = false;
  const Status mine = status();
  const Earlier known = [this](std::uint64_t number) { return earlier(number); };
  for (int rank = 0; rank < mesh_.size(); ++rank) {
    const std::optional<Status>& theirs = seen(rank).status;
    if (!theirs) continue;
    // It has said that it waits for this rank to take a message, and this rank has taken it since.
    if (theirs->send != 0 && theirs->peer == mesh_.rank() && !messages_.holds(rank, theirs->send)) continue;
    if (const auto conflict = conflict_of(mine, mesh_.rank(), *theirs, rank, known))
      differ(rank, conflict->mine, conflict->theirs);
  }
}

Status Lookout::status() const {
  Status mine;
  mine.waits = call_ != nullptr ? Status::Waits::collective : Status::Waits::message;
  mine.calls = number_;
  mine.text = text();
  const auto open = static_cast<std::uint32_t>(messages_.open().size());
  mine.others = queued_() + open;
  if (call_ != nullptr) {
    mine.signature = signatures_[number_ % signatures_.size()];
    mine.operation = call_->operation;
    mine.root = call_->root;
  } else {
    mine.others -= std::min(mine.others, message_->done ? 0U : 1U);
    mine.peer = message_->peer;
    mine.unmatched = messages_.unmatched(*message_);
    if (message_->send) mine.send = message_->id;
  }
  for (int rank = 0; rank < mesh_.size(); ++rank) mine.tallies.push_back(messages_.tally(rank));
  return mine;
}

void Lookout::tell(Deadline now) {
  tell_at_ = now + kPatience;
  dirty_ = true;
  const std::string body = status().encode();
  const std::lock_guard lock(control_);
  mesh_.tell_status(body);
}

std::string Lookout::text() const {
  if (call_ != nullptr) return call_->text();
  return message_ ? message_->text() : "";
}

Error Lookout::error(Code code, const std::string& text, const std::string& what, int rank) const {
  const Peer& peer = mesh_.peer(rank);
  return Error(code, text + ": " + what, rank, peer.host, peer.link, text);
}

void Lookout::mismatch(int rank, const Signature& theirs) {
  const std::optional<Signature> same = earlier(theirs.number());
  if (same && *same != theirs) differ(rank, same->text(), theirs.text());
  if (theirs.number() > number_) {
    // That rank is further on and knows the call of its own that differs from this one: it hears which one
    // this is, and answers with the whole story.
    const Deadline patience = Clock::now() + kGrace;
    tell(Clock::now());
    while (mesh_.peer(rank).control && wait_for(mesh_.peer(rank).control.get(), POLLIN, patience))
      hear(rank, Clock::now());
  }
  differ(rank, signatures_[number_ % signatures_.size()].text(), theirs.text());
}

void Lookout::differ(int rank, const std::string& mine, const std::string& theirs) const {
  const Peer& peer = mesh_.peer(rank);
  throw Error(Code::mismatch,
              "the ranks' calls differ: " + mesh_.name(mesh_.rank()) + " called " + mine + ", " +
                  mesh_.name(rank) + " called " + theirs,
              rank, peer.host, peer.link, text());
}

void Lookout::gone(int rank, const std::string& text) {
  const Peer& peer = mesh_.peer(rank);
  const std::string what = peer.left ? " has left the group" : " was lost: " + peer.trouble;
  throw error(Code::peer_lost, text, mesh_.name(rank) + what, rank);
}

void Lookout::lost(int rank, const std::string& why) {
  const Deadline patience = Clock::now() + kGrace;
  const Peer& peer = mesh_.peer(rank);
  while (peer.control && !peer.left && wait_for(peer.control.get(), POLLIN, patience))
    hear(rank, Clock::now());
  const std::string what = peer.left ? " has left the group" : " was lost: " + why;
  throw error(Code::peer_lost, text(), mesh_.name(rank) + what, rank);
}

Deadline Lookout::next_look() const {
  Deadline next = Clock::now() + std::chrono::seconds(1);
  for (const std::shared_ptr<Message>& message : messages_.open()) next = std::min(next, message->deadline);
  return next;
}

// Asks what the others do, and waits for their answers while more than one owes it: who waits for somebody
// else says so.
void Lookout::hear_out(Deadline since) {
  tell(since);
  const auto silent = [&] {
    int count = 0;
    for (int rank = 0; rank < mesh_.size(); ++rank)
      if (rank != mesh_.rank() && seen(rank).told < since) ++count;
    return count;
  };
  while (silent() > 1 && Clock::now() < since + kGrace) {
    entries_.clear();
    for (int rank = 0; rank < mesh_.size(); ++rank)
      entries_.push_back({mesh_.peer(rank).control.get(), POLLIN, 0});
    ::poll(entries_.data(), static_cast<nfds_t>(entries_.size()), 10);
    hear_all(Clock::now(), false);
  }
}

// Who has not said that it is in this call, too, has not come. At fault is who keeps silent, else who is
// furthest behind: the others may wait for it themselves.
void Lookout::late(Deadline now) {
  hear_all(now, true);
  if (call_ != nullptr) hear_out(now);
  std::string missing;
  int first = -1;
  std::uint64_t fewest = 0;
  for (int rank = 0; rank < mesh_.size(); ++rank) {
    const Seen& peer = seen(rank);
    const bool silent = peer.told < now;
    const bool concerned =
        call_ != nullptr ? silent || !peer.status || peer.status->calls < number_ : message_->peer == rank;
    if (rank == mesh_.rank() || !concerned) continue;
    const std::uint64_t calls = silent || !peer.status ? 0 : peer.status->calls + 1;
    if (first < 0 || calls < fewest) {
      first = rank;
      fewest = calls;
    }
    missing += (missing.empty() ? "" : ", ") + mesh_.name(rank);
  }
  const std::string waited = mesh_.name(mesh_.rank()) + " waited " + seconds_text(timeout_) + " for ";
  if (first >= 0) throw error(Code::timeout, text(), waited + missing, first);
  const std::string operation = text();
  throw Error(Code::timeout, operation + ": " + waited + "data, although every rank is in this call", -1, "",
              "", operation);
}

}  // namespace jackal::collectives
