// Memory that processes of one machine share without a name in the file system: its owner makes it, others
// find it through the owner's process. It is gone when the last process that maps it is, however they end.
// Each begins with a header page that holds a random token, so that nobody takes other memory for it.
// Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "jackal/base/unique_fd.hpp"

namespace jackal::collectives::shm {

/// Where a piece of shared memory is found, as it travels between processes. All zero: nowhere.
struct Place {
  std::uint64_t token[2] = {0, 0};
  std::int64_t process = 0;
  std::int64_t descriptor = -1;
  explicit operator bool() const { return token[0] != 0; }
  bool operator==(const Place&) const = default;
};

/// Bytes mapped into this process; unmapped with the object.
class Mapping {
public:
  Mapping(void* data, std::size_t size) : data_(static_cast<std::byte*>(data)), size_(size) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  static constexpr std::size_t kHeader = 16384;  // a page, of any machine we know

  std::byte* data() const { return data_ + kHeader; }  // behind the header
  std::size_t size() const { return size_ - kHeader; }
  std::byte* header() const { return data_; }

private:
  std::byte* data_;
  std::size_t size_;
};

/// The owner's side. Others can open it while this object lives.
class Memory {
public:
  Memory() = default;
  /// Zeroed; `bytes` are rounded up to whole pages. Throws std::system_error.
  static Memory create(std::size_t bytes);
  Memory(Memory&&) noexcept = default;
  Memory& operator=(Memory&&) noexcept;
  ~Memory() { retire(); }

  const Place& place() const { return place_; }
  const std::shared_ptr<Mapping>& mapping() const { return mapping_; }
  /// Nobody else can open it any more; what is mapped stays.
  void retire();

private:
  UniqueFd fd_;
  Place place_;
  std::shared_ptr<Mapping> mapping_;
};

/// Maps what `place` names. The threads of one process get one mapping. Empty when it cannot be had, with the
/// reason in `why`.
std::shared_ptr<Mapping> open(const Place& place, std::string& why);

/// True when this process made it, so that its owner's addresses are valid here.
bool in_this_process(const Place& place);

/// This process as a Place holds it.
std::int64_t own_process();

namespace platform {

/// A new object of `size` bytes, such that nobody can change its size. Empty with errno set on failure.
UniqueFd create_object(Place& place, std::size_t size);
/// Opens what `place` names when it is such an object; empty with errno set otherwise.
UniqueFd open_object(const Place& place);
void retire_object(const Place& place);

}  // namespace platform
}  // namespace jackal::collectives::shm
