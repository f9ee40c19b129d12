// Memory for jackal::Buffer: this rank's own, which the other members may map, and theirs, mapped here when a
// call first uses it.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "transports/shm/layout.hpp"
#include "transports/shm/memory.hpp"

namespace jackal::collectives::shm {

/// The buffers of this rank. Shared by the domain and all of them, as each may outlive the other. Any thread.
class OwnBuffers : public std::enable_shared_from_this<OwnBuffers> {
public:
  /// `segment` holds `board`; null: nobody to share with.
  OwnBuffers(std::shared_ptr<Mapping> segment, Board* board) : segment_(std::move(segment)), board_(board) {}

  /// Throws std::system_error.
  std::shared_ptr<void> allocate(std::size_t bytes);

  /// `size` bytes at `data` as others find them.
  Operand describe(const void* data, std::size_t size) const;

private:
  struct Entry {
    Memory memory;
    std::size_t place = Board::kBuffers;  // on the board; none: others do not know it
  };
  void free(const void* data);

  std::shared_ptr<Mapping> segment_;
  Board* board_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;  // guarded by mutex_
};

/// The buffers of one other member. One thread.
class PeerBuffers {
public:
  /// Where `size` bytes at `operand` lie in this process. Null with the reason in `why` when they are not in
  /// a buffer of the peer that can be mapped here.
  const std::byte* find(const Operand& operand, std::size_t size, std::string& why);
  /// Lets go of what the peer has freed.
  void tidy(const Board& board);

private:
  struct Entry {
    std::uint64_t token;
    std::shared_ptr<Mapping> mapping;
  };
  std::vector<Entry> entries_;
  std::uint64_t version_ = 0;
};

}  // namespace jackal::collectives::shm
