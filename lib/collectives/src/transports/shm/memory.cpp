#include "transports/shm/memory.hpp"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <random>
#include <system_error>
#include <utility>

#include "error.hpp"

namespace jackal::collectives::shm {
namespace {

// What this process has mapped, by token: threads that are ranks must see the same addresses, or a race
// between them would hide from the thread sanitizer.
class Registry {
public:
  std::shared_ptr<Mapping> find(std::uint64_t token) {
    const std::lock_guard lock(mutex_);
    const auto found = mapped_.find(token);
    return found == mapped_.end() ? nullptr : found->second.lock();
  }
  void add(std::uint64_t token, const std::shared_ptr<Mapping>& mapping) {
    const std::lock_guard lock(mutex_);
    std::erase_if(mapped_, [](const auto& entry) { return entry.second.expired(); });
    mapped_[token] = mapping;
  }

private:
  std::mutex mutex_;
  std::map<std::uint64_t, std::weak_ptr<Mapping>> mapped_;  // guarded by mutex_
};

Registry& registry() {
  static Registry one;
  return one;
}

std::shared_ptr<Mapping> map(int fd, std::size_t size) {
  void* data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return data == MAP_FAILED ? nullptr : std::make_shared<Mapping>(data, size);
}

std::size_t whole_pages(std::size_t bytes) {
  return (bytes + Mapping::kHeader - 1) / Mapping::kHeader * Mapping::kHeader;
}

}  // namespace

Mapping::~Mapping() { ::munmap(data_, size_); }

Memory Memory::create(std::size_t bytes) {
  const std::size_t size = Mapping::kHeader + whole_pages(bytes);
  if (size < bytes) throw std::system_error(ENOMEM, std::generic_category());
  std::random_device random;
  const auto word = [&] { return std::uint64_t{random()} << 32 | random(); };
  Memory made;
  made.place_ = {{word() | 1, word()}, own_process(), -1};
  made.fd_ = platform::create_object(made.place_, size);
  if (made.fd_) made.mapping_ = map(made.fd_.get(), size);
  if (!made.mapping_) {
    const int number = errno;
    throw std::system_error(number, std::generic_category());
  }
  std::memcpy(made.mapping_->header(), made.place_.token, sizeof made.place_.token);
  registry().add(made.place_.token[0], made.mapping_);
  return made;
}

Memory& Memory::operator=(Memory&& other) noexcept {
  if (this == &other) return *this;
  retire();
  fd_ = std::move(other.fd_);
  place_ = other.place_;
  mapping_ = std::move(other.mapping_);
  return *this;
}

void Memory::retire() {
  if (!fd_) return;
  platform::retire_object(place_);
  fd_.reset();
}

bool in_this_process(const Place& place) {
  return place.process == own_process() && registry().find(place.token[0]) != nullptr;
}

std::shared_ptr<Mapping> open(const Place& place, std::string& why) {
  if (in_this_process(place))
    if (auto known = registry().find(place.token[0])) return known;
  const UniqueFd fd = platform::open_object(place);
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    why = system_text(errno);
    return nullptr;
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size <= Mapping::kHeader) {
    why = "it is something else";
    return nullptr;
  }
  auto mapping = map(fd.get(), size);
  if (!mapping) {
    why = system_text(errno);
  } else if (std::memcmp(mapping->header(), place.token, sizeof place.token) != 0) {
    why = "it is something else";
    mapping = nullptr;
  }
  return mapping;
}

}  // namespace jackal::collectives::shm
