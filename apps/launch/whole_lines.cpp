#include "launch/whole_lines.hpp"

#include <algorithm>

namespace jackal::launch {
namespace {

constexpr std::size_t kMostWaitingBytes = 256 * 1024;

}  // namespace

void WholeLines::write(int rank, std::string_view bytes) {
  if (bytes.empty()) return;
  if (!open_ || *open_ == rank) {
    pass(rank, bytes);
    return pass_waiting();
  }
  const auto own = std::find_if(waiting_.begin(), waiting_.end(),
                                [&](const Waiting& waiting) { return waiting.rank == rank; });
  if (own == waiting_.end()) {
    waiting_.push_back({rank, std::string(bytes)});
  } else {
    own->bytes += bytes;
  }
  waiting_bytes_ += bytes.size();
  if (waiting_bytes_ > kMostWaitingBytes) release();
}

void WholeLines::rank_ended(int rank) {
  if (open_ != rank) return;
  open_.reset();
  pass_waiting();
}

void WholeLines::release() {
  while (!waiting_.empty()) {
    open_.reset();
    pass_waiting();
  }
}

void WholeLines::pass(int rank, std::string_view bytes) {
  sink_(bytes);
  open_.reset();
  if (bytes.back() != '\n') open_ = rank;
}

void WholeLines::pass_waiting() {
  while (!open_ && !waiting_.empty()) {
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= next.bytes.size();
    pass(next.rank, next.bytes);
  }
}

}  // namespace jackal::launch
