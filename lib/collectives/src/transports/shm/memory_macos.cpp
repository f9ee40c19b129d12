#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "transports/shm/memory.hpp"

namespace jackal::collectives::shm {
namespace {

// 31 characters at most. The name is in no directory, and goes when the owner retires the object.
std::string name_of(const Place& place) {
  char name[32];
  std::snprintf(name, sizeof name, "/jackal-%016llx", static_cast<unsigned long long>(place.token[0]));
  return name;
}

}  // namespace

std::int64_t own_process() { return ::getpid(); }

namespace platform {

UniqueFd create_object(Place& place, std::size_t size) {
  UniqueFd fd(::shm_open(name_of(place).c_str(), O_RDWR | O_CREAT | O_EXCL, 0600));
  if (!fd) return fd;
  place.descriptor = fd.get();
  ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) == 0)
    return fd;  // works once only: nobody can shrink it
  const int number = errno;
  retire_object(place);
  errno = number;
  return UniqueFd();
}

UniqueFd open_object(const Place& place) {
  UniqueFd fd(::shm_open(name_of(place).c_str(), O_RDWR));
  if (fd) ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
  return fd;
}

void retire_object(const Place& place) { ::shm_unlink(name_of(place).c_str()); }

}  // namespace platform
}  // namespace jackal::collectives::shm
