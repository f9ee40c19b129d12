// The event loop under a rendezvous: handshakes that come in, handshakes that go out, and the control
// connections that already stand. One thread; every wait ends at the deadline.
#pragma once

#include <poll.h>

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "control/mesh.hpp"
#include "control/messages.hpp"
#include "env/environment.hpp"
#include "jackal/base/unique_fd.hpp"
#include "transports/tcp/address.hpp"
#include "transports/watch.hpp"

namespace jackal::collectives {

class Meeting {
public:
  /// `around`: looked at in every wait; what it throws ends the loop.
  Meeting(const Job& job, std::chrono::milliseconds timeout, const Log& log, Watch* around = nullptr);

  Deadline deadline() const { return deadline_; }
  /// Once rank 0 answers, it decides when to give up, and knows better why; this is the time to hear it.
  void allow_for_verdict() { deadline_ += std::chrono::seconds(2); }
  Mesh& mesh() { return mesh_; }

  /// Takes connections there from now on.
  void listen(UniqueFd listener) { listener_ = std::move(listener); }
  void stop_listening() {
    listener_.reset();
    inbound_.clear();
  }

  /// Introduces this rank on a fresh connection to `to`; the loop then waits for the welcome.
  void greet(int to, UniqueFd connection, const Endpoint& listens);
  bool greeting() const { return !outbound_.empty(); }
  /// Why rank 0 did not answer the last greeting. Any other rank that does not answer ends the loop.
  const std::string& unanswered() const { return unanswered_; }

  /// Runs the loop until `done`. Past the deadline it throws what `late` makes.
  void run_until(const std::function<bool()>& done, const std::function<Error()>& late);

  /// Lets time pass, up to the deadline.
  void pause(std::chrono::milliseconds time);

  void send(int to, FrameType type, std::string_view body = {});
  /// Sends to every other rank.
  void send_to_all(FrameType type, std::string_view body = {});

  const std::vector<Member>& table() const { return table_; }
  const std::vector<Endpoint>& listens() const { return listens_; }
  int ready_count() const { return ready_; }
  bool go() const { return go_; }
  /// The last hello that was refused, as a sentence for a message; "" when none was.
  const std::string& refused() const { return refused_; }

  Error error(Code code, const std::string& what, int rank = -1, const std::string& link = {}) const;

private:
  struct Inbound {
    UniqueFd fd;
    FrameReader reader;
    Deadline until;
    std::string link;
  };
  struct Outbound {
    UniqueFd fd;
    FrameReader reader;
    int rank;
    std::string nonce;
    std::string link;
  };

  void wait();
  int poll(std::vector<pollfd>& entries, Deadline until);
  void accept_all();
  bool advance(Inbound& inbound);    // false: finished, one way or the other
  bool advance(Outbound& outbound);  // likewise
  std::string objection(const Hello& hello) const;
  void admit(Inbound& inbound, const Hello& hello);
  void give_up(const Outbound& outbound, const std::string& why);
  void hear(int rank);
  void heard(int rank, const Frame& frame);

  const Job& job_;
  Deadline deadline_;
  Mesh mesh_;
  Watch* around_;
  UniqueFd listener_;
  std::list<Inbound> inbound_;
  std::list<Outbound> outbound_;
  std::vector<Endpoint> listens_;  // of the ranks that have said hello
  std::vector<Member> table_;
  std::string unanswered_;
  std::optional<Error> failure_;  // thrown at failure_until_, unless a better reason comes first
  Deadline failure_until_;
  std::string refused_;
  int ready_ = 0;
  bool go_ = false;
};

}  // namespace jackal::collectives
