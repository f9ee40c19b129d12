#include "transports/shm/buffers.hpp"

#include <algorithm>

namespace jackal::collectives::shm {

std::shared_ptr<void> OwnBuffers::allocate(std::size_t bytes) {
  Entry made{Memory::create(bytes)};
  void* data = made.memory.mapping()->data();
  const std::lock_guard lock(mutex_);
  if (board_ != nullptr) {
    const auto none = [](const auto& token) { return token.load() == 0; };
    const auto free = std::find_if(board_->buffers.begin(), board_->buffers.end(), none);
    made.place = static_cast<std::size_t>(free - board_->buffers.begin());
    if (free != board_->buffers.end()) free->store(made.memory.place().token[0]);
  }
  entries_.push_back(std::move(made));
  return {data, [all = shared_from_this()](void* freed) { all->free(freed); }};
}

void OwnBuffers::free(const void* data) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.memory.mapping()->data() == data; });
  if (found == entries_.end()) return;
  if (found->place < Board::kBuffers) {
    board_->buffers[found->place].store(0);
    board_->buffers_version.fetch_add(1);
  }
  entries_.erase(found);
}

Operand OwnBuffers::describe(const void* data, std::size_t size) const {
  Operand made;
  made.address = reinterpret_cast<std::uintptr_t>(data);
  const auto* at = static_cast<const std::byte*>(data);
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) {
    const Mapping& mapping = *entry.memory.mapping();
    if (entry.place == Board::kBuffers || at < mapping.data() || at >= mapping.data() + mapping.size())
      continue;
    made.offset = static_cast<std::uint64_t>(at - mapping.data());
    if (size <= mapping.size() - made.offset) made.buffer = entry.memory.place();
  }
  return made;
}

const std::byte* PeerBuffers::find(const Operand& operand, std::size_t size, std::string& why) {
  const std::uint64_t token = operand.buffer.token[0];
  auto known =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.token == token; });
  if (known == entries_.end()) {
    auto mapping = open(operand.buffer, why);
    if (!mapping) return nullptr;
    known = entries_.insert(entries_.end(), {token, std::move(mapping)});
  }
  const Mapping& mapping = *known->mapping;
  if (operand.offset <= mapping.size() && size <= mapping.size() - operand.offset)
    return mapping.data() + operand.offset;
  why = "its buffer is smaller than it says";
  return nullptr;
}

void PeerBuffers::tidy(const Board& board) {
  if (entries_.empty()) return;
  const std::uint64_t version = board.buffers_version.load();
  if (version == version_) return;
  version_ = version;
  std::erase_if(entries_, [&](const Entry& entry) {
    return std::none_of(board.buffers.begin(), board.buffers.end(),
                        [&](const auto& token) { return token.load() == entry.token; });
  });
}

}  // namespace jackal::collectives::shm
