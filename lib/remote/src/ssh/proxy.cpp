#include "proxy.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

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
  auto err = make_pipe();
  if (!err) return fail(err.error());
  proxy->stderr_ = std::move(err->read);
  set_nonblocking(proxy->stderr_.get());
  SpawnRequest request{{"/bin/sh", "-c", "exec " + command}};
  request.descriptors = {theirs.get(), theirs.get(), err->write.get()};
  const auto child = spawn(request);
  if (!child) return fail(child.error());
  proxy->child_ = *child;
  return proxy;
}

ProxyCommand::~ProxyCommand() {
  if (child_ <= 0) return;
  // Its group, since the shell may have started more; ssh ends at once on TERM.
  ::kill(-child_, SIGTERM);
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    if (::waitpid(child_, nullptr, WNOHANG) != 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ::kill(-child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
}

std::string ProxyCommand::complaints() {
  std::string text;
  std::array<char, 4096> bytes;
  for (;;) {
    const ssize_t got = ::read(stderr_.get(), bytes.data(), bytes.size());
    if (got <= 0) break;
    text.append(bytes.data(), static_cast<std::size_t>(got));
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

}  // namespace jackal::remote
