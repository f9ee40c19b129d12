#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "transports/shm/memory.hpp"

namespace jackal::collectives::shm {
namespace {

// Nobody can shrink it under those who have it mapped.
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

}  // namespace

std::int64_t own_process() { return ::getpid(); }

namespace platform {

// The kernel's own mount, which memfd_create uses, has no size limit: nothing to reserve, no SIGBUS later.
UniqueFd create_object(Place& place, std::size_t size) {
  UniqueFd fd(::memfd_create("jackal", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(size)) != 0 ||
      ::fcntl(fd.get(), F_ADD_SEALS, kSeals) != 0)
    return UniqueFd();
  place.descriptor = fd.get();
  return fd;
}

// In another PID namespace the number may be anybody's: only a sealed memory object is opened at all.
UniqueFd open_object(const Place& place) {
  const std::string path =
      "/proc/" + std::to_string(place.process) + "/fd/" + std::to_string(place.descriptor);
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return UniqueFd();
  if (!S_ISREG(status.st_mode)) {
    errno = EINVAL;
    return UniqueFd();
  }
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (fd && (::fcntl(fd.get(), F_GET_SEALS) & kSeals) != kSeals) {
    errno = EINVAL;
    return UniqueFd();
  }
  return fd;
}

void retire_object(const Place&) {}

}  // namespace platform
}  // namespace jackal::collectives::shm
