#include "jackal/base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>

#include "jackal/base/unique_fd.hpp"

namespace jackal {
namespace {

Error file_error(const std::filesystem::path& path, std::string_view action, int number) {
  return {number == ENOENT ? ErrorCode::not_found : ErrorCode::io, path.string(),
          fmt::format("cannot {}: {}", action, errno_text(number)), ""};
}

int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

/// What is no regular file (/dev/null, a pipe) is written into: a rename would put a file in its place.
Result<void> write_into(const std::filesystem::path& path, std::string_view bytes) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return fail(file_error(path, "open", errno));
  if (const int failed = write_all(fd.get(), bytes); failed != 0)
    return fail(file_error(path, "write", failed));
  return {};
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail(file_error(path, "open", errno));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail(file_error(path, "inspect", errno));
  if (S_ISDIR(status.st_mode)) {
    return fail({ErrorCode::bad_input, path.string(), "is a directory, expected a file", ""});
  }
  std::string bytes;
  std::string chunk(64 * 1024, '\0');
  for (;;) {
    const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(file_error(path, "read", errno));
    if (got == 0) return bytes;
    bytes.append(chunk, 0, static_cast<std::size_t>(got));
    if (bytes.size() > limit_bytes) {
      return fail({ErrorCode::bad_input, path.string(),
                   fmt::format("is larger than {} bytes, the most that such a file may have", limit_bytes),
                   ""});
    }
  }
}

Result<void> write_file(const std::filesystem::path& path, std::string_view bytes, mode_t mode) {
  std::error_code ignored;
  if (std::filesystem::is_other(path, ignored)) return write_into(path, bytes);
  std::filesystem::path target = std::filesystem::canonical(path, ignored);
  if (ignored) target = path;
  std::string temporary = target.string() + ".XXXXXX";
  UniqueFd fd(::mkstemp(temporary.data()));
  if (!fd) return fail(file_error(path, "create a temporary file beside it", errno));
  int failed = write_all(fd.get(), bytes);
  if (failed == 0 && ::fchmod(fd.get(), mode) != 0) failed = errno;
  if (failed == 0 && ::fsync(fd.get()) != 0) failed = errno;
  if (failed == 0 && ::rename(temporary.c_str(), target.c_str()) != 0) failed = errno;
  if (failed != 0) {
    ::unlink(temporary.c_str());
    return fail(file_error(path, "write", failed));
  }
  return {};
}

Result<void> create_file(const std::filesystem::path& path, std::string_view bytes, mode_t mode) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd) return fail(file_error(path, "create", errno));
  if (const int failed = write_all(fd.get(), bytes); failed != 0) {
    ::unlink(path.c_str());
    return fail(file_error(path, "write", failed));
  }
  return {};
}

}  // namespace jackal
