// How a group starts: its ranks connect, and the figures by which algorithms are chosen are found.
#include "group/communicator.hpp"

namespace jackal::collectives {

void Communicator::connect(Start& start, Deadline deadline) {
  links_ = size_ > 1 ? connect_ranks(mesh_, job_, settings_, start.whole, deadline) : links_of_one(job_);
  if (settings_.prefer_ring) settings_.algorithm = "ring";
  // Two ranks have no ring, nor has a part of one all that the whole has.
  if ((settings_.prefer_ring || start.measured) && !knows(settings_.algorithm)) settings_.algorithm.clear();
  std::vector<Channel*> channels(1, nullptr);
  std::vector<int> next(1, -1);
  if (size_ == 1) {
    require_known_algorithm();
    choices_ = std::make_unique<Choices>(links_.fabric, rank_, settings_.algorithm, links_.one_memory);
  } else {
    channels = links_.messages(rank_);
    next = next_hops(links_.fabric, rank_);
    passes_on_ = collectives::passes_on(links_.fabric, rank_);
    choices_ = std::make_unique<Choices>(fabric_to_decide_by(start, deadline), rank_, settings_.algorithm,
                                         links_.one_memory);
    executor_ = std::make_unique<Executor>(links_.lanes(rank_), links_.shm->crowding());
  }
  messages_ = std::make_unique<Messages>(mesh_, channels, std::move(next));
  lookout_ = std::make_unique<Lookout>(
      mesh_, control_, *messages_, bell_.descriptor(), [this] { attend(); },
      [this] {
        // The one under way is not waiting for its turn.
        const std::uint32_t started = started_;
        return started > 0 && signature_ != nullptr ? started - 1 : started;
      });
  shm_mismatch_ = [this](int rank, const Signature& theirs) { lookout_->mismatch(rank, theirs); };
  check_header_ = [this](int rank, std::span<const std::byte> header) {
    Signature theirs;
    std::copy_n(header.begin(), std::min(header.size(), theirs.bytes.size()), theirs.bytes.begin());
    if (theirs != *signature_) lookout_->mismatch(rank, theirs);
  };
  note_memory();
  if (passes_on_) progress();
}

// The figures by which algorithms are chosen: the same on every rank.
Fabric Communicator::fabric_to_decide_by(const Start& start, Deadline deadline) {
  require_known_algorithm();
  if (settings_.fabric) {
    require_links(*settings_.fabric);
    return *settings_.fabric;
  }
  if (start.measured && start.measured->connected()) return *start.measured;
  // What never takes part in a choice need not be measured.
  if (settings_.deterministic || links_.one_memory) return links_.fabric;
  return measured(links_, mesh_, deadline);
}

std::vector<std::string> Communicator::known_algorithms() const {
  std::vector<std::string> known = Choices::names(links_.fabric);
  if (links_.one_memory) known.emplace_back(kMemoryAlgorithm);
  return known;
}

bool Communicator::knows(const std::string& algorithm) const {
  const std::vector<std::string> known = known_algorithms();
  return algorithm.empty() || std::find(known.begin(), known.end(), algorithm) != known.end();
}

void Communicator::require_known_algorithm() const {
  if (knows(settings_.algorithm)) return;
  std::string list = "auto";
  for (const std::string& name : known_algorithms()) list += ", " + name;
  throw Error(Code::invalid_argument,
              "JACKAL_ALGORITHM is \"" + settings_.algorithm + "\", expected one of: " + list, -1, "", "",
              "init");
}

void Communicator::require_links(const Fabric& fabric) const {
  for (int from = 0; from < size_; ++from)
    for (int to = 0; to < size_; ++to)
      if (fabric.path(from, to).linked() && !links_.fabric.path(from, to).linked())
        throw Error(Code::invalid_argument,
                    "JACKAL_FABRIC: the file has a link from rank " + std::to_string(from) + " to rank " +
                        std::to_string(to) + ", but there is none",
                    -1, "", "", "init");
  if (!fabric.connected())
    throw Error(Code::invalid_argument, "JACKAL_FABRIC: the links of the file do not connect all ranks", -1,
                "", "", "init");
}

}  // namespace jackal::collectives
