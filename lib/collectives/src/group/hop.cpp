#include "group/hop.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace jackal::collectives {
namespace {

// Read from one hop before the others get their turn.
constexpr std::size_t kFairBytes = 2 << 20;

}  // namespace

void Hop::queue(Outgoing frame) {
  if (!frame.owned.empty()) frame.payload = frame.owned.data();
  memory_ += frame.owned.size();
  queue_.push_back(std::move(frame));
}

bool Hop::push(Sink& sink) {
  bool moved = false;
  try {
    for (;;) {
      if (queue_.empty()) sink.refill(rank_);
      if (queue_.empty()) return moved;
      Outgoing& first = queue_.front();
      std::array<iovec, 2> pieces;
      std::size_t count = 0;
      std::size_t skip = written_;
      const auto add = [&](const std::byte* bytes, std::size_t size) {
        const std::size_t skipped = std::min(skip, size);
        skip -= skipped;
        if (size > skipped) pieces[count++] = {const_cast<std::byte*>(bytes + skipped), size - skipped};
      };
      add(first.header.data(), first.header.size());
      add(first.payload, first.size);
      const std::size_t bytes = channel_->write({pieces.data(), count});
      if (bytes == 0) return moved;
      moved = true;
      written_ += bytes;
      if (written_ < first.header.size() + first.size) continue;
      const Outgoing done = std::move(first);
      queue_.pop_front();
      memory_ -= done.owned.size();
      written_ = 0;
      if (done.message) sink.written(*done.message, done.size);
    }
  } catch (const Broken& trouble) {
    broken_ = trouble.what();
    return moved;
  }
}

bool Hop::pull(Sink& sink) {
  bool moved = false;
  more_ = false;
  try {
    for (std::size_t bytes = 0; bytes < kFairBytes;) {
      const std::size_t left = left_;
      if (!pull_some(sink)) return moved;
      bytes += Envelope::kSize + left;
      moved = true;
    }
    more_ = true;
  } catch (const Broken& trouble) {
    broken_ = trouble.what();
  }
  return moved;
}

bool Hop::pull_some(Sink& sink) {
  if (header_have_ < header_.size()) {
    const std::span<const std::byte> come = channel_->peek(header_.size() - header_have_);
    if (come.empty()) return false;
    std::memcpy(header_.data() + header_have_, come.data(), come.size());
    header_have_ += come.size();
    channel_->consume(come.size());
    if (header_have_ < header_.size()) return true;
    const auto envelope = Envelope::decode(header_, size_);
    if (!envelope) {
      drop();
      throw Error(Code::internal, "rank " + std::to_string(rank_) + " sent a message that cannot be read",
                  rank_);
    }
    envelope_ = *envelope;
    left_ = envelope_.payload;
    to_ = sink.begin(rank_, envelope_);
  }
  if (left_ > 0) {
    const std::size_t bytes = channel_->read(to_, left_);
    if (bytes == 0) return false;
    to_ += bytes;
    left_ -= bytes;
    if (left_ > 0) return true;
  }
  header_have_ = 0;
  sink.end(rank_, envelope_);
  return true;
}

void Hop::drop() {
  queue_.clear();
  memory_ = 0;
  broken_ = "the group has ended";
}

}  // namespace jackal::collectives
