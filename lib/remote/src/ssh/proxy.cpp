#include "proxy.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "../process.hpp"

namespace jackal::remote {

Result<std::unique_ptr<ProxyCommand>> ProxyCommand::start(const std::string& command) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
    return fail({ErrorCode::io, "", "cannot make a socket pair: " + errno_text(errno), ""});
  }
  std::unique_ptr<ProxyCommand> proxy(new ProxyCommand);
  proxy->socket_.reset(ends[0]);
  const UniqueFd theirs(ends[1]);
  for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
  // A file takes whatever it says, at any time, without anybody reading along.
  proxy->stderr_.reset(std::tmpfile());
  if (!proxy->stderr_) {
    return fail({ErrorCode::io, "", "cannot make a temporary file: " + errno_text(errno), ""});
  }
  ::fcntl(::fileno(proxy->stderr_.get()), F_SETFD, FD_CLOEXEC);
  SpawnRequest request{{"/bin/sh", "-c", "exec " + command}};
  request.descriptors = {theirs.get(), theirs.get(), ::fileno(proxy->stderr_.get())};
  const auto child = spawn(request);
  if (!child) return fail(child.error());
  proxy->child_ = *child;
  return proxy;
}

ProxyCommand::~ProxyCommand() {
  if (child_ <= 0) return;
  // Its group, since the shell may have started more; ssh ends at once on TERM.
  ::kill(-child_, SIGTERM);
  auto nap = std::chrono::microseconds(200);
  for (auto waited = nap; waited < std::chrono::seconds(1); waited += nap, nap = nap * 3 / 2) {
    if (::waitpid(child_, nullptr, WNOHANG) != 0) return;
    std::this_thread::sleep_for(nap);
  }
  ::kill(-child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
}

std::string ProxyCommand::complaints() {
  std::array<char, 4096> bytes;
  const int fd = ::fileno(stderr_.get());
  struct stat status {};
  if (::fstat(fd, &status) != 0) return "";
  const off_t begin = std::max<off_t>(0, status.st_size - static_cast<off_t>(bytes.size()));
  const ssize_t got = ::pread(fd, bytes.data(), bytes.size(), begin);
  std::string text(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  std::erase(text, '\r');
  text.erase(text.find_last_not_of('\n') + 1);
  return text;
}

}  // namespace jackal::remote
