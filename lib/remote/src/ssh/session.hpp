// Everything that blocks on the way to a host – name look-up, TCP, key exchange, host key, authentication –
// as one function for a worker thread. What comes out is a session in non-blocking mode for the loop's
// thread.
#pragma once

#include <libssh/libssh.h>

#include <condition_variable>
#include <functional>
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

/// What the loop's thread and the worker of one attempt share: ends the attempt at once, and knows when the
/// worker has let go of everything that is not the attempt's own.
class Cancel {
public:
  Cancel();

  // The worker's side.
  int wake_fd() const { return wake_read_.get(); }  // readable once cancelled: to wait on beside a socket
  bool use(int fd);  // shut down under us when cancelled; false when it already is
  /// Nothing interrupts the system's name look-up: between these two nobody waits for us. end: false when
  /// cancelled meanwhile; then only leaving is allowed.
  void begin_look_up();
  bool end_look_up();
  /// Runs `word`, with the loop's thread kept waiting; false, without running it, when cancelled.
  bool tell(const std::function<void()>& word);
  void leave();  // the worker's last act

  // The loop's side.
  void cancel();
  bool cancel_and_wait();  // whether the worker has left; false: it looks up a name, which nothing ends

private:
  enum class Worker { busy, looking_up, gone };

  UniqueFd wake_read_, wake_write_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int fd_ = -1;                   // guarded by mutex_; borrowed
  bool cancelled_ = false;        // guarded by mutex_
  Worker worker_ = Worker::busy;  // guarded by mutex_
};

struct Established {
  std::unique_ptr<ProxyCommand> proxy;  // outlives the session that speaks through it
  Session session;
  std::string address;               // numeric; empty through a jump host or proxy
  std::string way;                   // "10.0.0.1 port 22", for messages
  std::vector<std::string> notices;  // what the person should know, e.g. a newly recorded host key
};

struct Attempt {
  NodeOptions options;
  HostSettings settings;
  int number = 1;  // of this attempt at the connection
  Cancel cancel;
};

/// An error with `lost` means that the server dropped us before it said who it is (MaxStartups): worth
/// another try.
Result<Established> establish(Attempt& attempt);

// The parts, each in a file of its own.
Result<UniqueFd> connect_tcp(Attempt& attempt, std::string& address);
/// What answers there, asked over a connection of its own: the beginning of its first line; "" for an sshd,
/// or silence.
std::string words_of_a_stranger(Attempt& attempt);
Result<void> check_host_key(ssh_session session, const Attempt& attempt, std::vector<std::string>& notices);
Result<void> authenticate(ssh_session session, const Attempt& attempt);

/// libssh's last words on this session as an Error of ours.
Error session_error(ErrorCode code, ssh_session session, const Attempt& attempt, const std::string& action);

}  // namespace jackal::remote
