// Everything that blocks on the way to a host – name look-up, TCP, key exchange, host key, authentication –
// as one function for a worker thread. What comes out is a session in non-blocking mode for the loop's
// thread.
#pragma once

#include <libssh/libssh.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/base/unique_fd.hpp"
#include "jackal/remote/node.hpp"
#include "jackal/remote/ssh_config.hpp"
#include "proxy.hpp"

namespace jackal::remote {

struct SessionDeleter {
  void operator()(ssh_session session) const {
    ssh_disconnect(session);
    ssh_free(session);
  }
};
using Session = std::unique_ptr<std::remove_pointer_t<ssh_session>, SessionDeleter>;

/// Lets the loop's thread end a blocking attempt: the socket is shut down under it.
class Cancel {
public:
  /// False when already cancelled.
  bool use(int fd);
  void cancel();

private:
  std::mutex mutex_;
  int fd_ = -1;             // guarded by mutex_; borrowed
  bool cancelled_ = false;  // guarded by mutex_
};

struct Established {
  std::unique_ptr<ProxyCommand> proxy;  // outlives the session that speaks through it
  Session session;
  std::string address;               // numeric; empty through a jump host or proxy
  std::vector<std::string> notices;  // what the person should know, e.g. a newly recorded host key
};

struct Attempt {
  NodeOptions options;
  HostSettings settings;
  Cancel cancel;
};

/// An error with `lost` means that the server dropped us before it said who it is (MaxStartups): worth
/// another try.
Result<Established> establish(Attempt& attempt);

// The parts, each in a file of its own.
Result<UniqueFd> connect_tcp(const Attempt& attempt, std::string& address);
Result<void> check_host_key(ssh_session session, const Attempt& attempt, std::vector<std::string>& notices);
Result<void> authenticate(ssh_session session, const Attempt& attempt);

/// libssh's last words on this session as an Error of ours.
Error session_error(ErrorCode code, ssh_session session, const Attempt& attempt, const std::string& action);

}  // namespace jackal::remote
