#include "proxy.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "../descriptors.hpp"
#include "../process.hpp"

namespace jackal::remote {
namespace {

constexpr std::chrono::seconds kGrace{1};  // for a client without us

}  // namespace

Result<std::unique_ptr<ProxyCommand>> ProxyCommand::start(const std::string& command) {
  DescriptorPair ends = open_socket_pair();
  if (!ends) return fail(shortage("make a socket pair", errno));
  std::unique_ptr<ProxyCommand> proxy(new ProxyCommand);
  proxy->socket_ = std::move(ends.first);
  // A file takes whatever it says, at any time, without anybody reading along.
  proxy->stderr_ = open_unnamed_file();
  if (!proxy->stderr_) return fail(shortage("make a temporary file", errno));
  auto guard = LocalGuard::start({}, kGrace, 1);
  if (!guard) return fail(guard.error());
  proxy->guard_.emplace(std::move(*guard));
  SpawnRequest request{{"/bin/sh", "-c", "exec " + command}};
  request.descriptors = {ends.second.get(), ends.second.get(), proxy->stderr_.get()};
  request.in_child = [&proxy] { proxy->guard_->announce_self(0); };
  const auto child = spawn(request);
  if (!child) return fail(child.error());
  proxy->child_ = *child;
  return proxy;
}

ProxyCommand::~ProxyCommand() {
  end_child();
  if (!guard_) return;
  guard_->dismiss();
  ::waitpid(guard_->id(), nullptr, 0);
}

void ProxyCommand::end_child() {
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
  const int fd = stderr_.get();
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
