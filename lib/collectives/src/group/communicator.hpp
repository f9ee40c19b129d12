// A group as this rank has it: its connections, and everything that it does with them. Public functions are
// for the thread that uses the group, but for abort(), which any thread may call; a thread of its own
// (progress.hpp) carries out what nobody waits for. Whose turn it is to use the connections, turn() says.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "env/environment.hpp"
#include "group/bell.hpp"
#include "group/choices.hpp"
#include "group/links.hpp"
#include "group/lookout.hpp"
#include "group/messages.hpp"
#include "group/pending.hpp"
#include "group/progress.hpp"
#include "group/request.hpp"

namespace jackal::collectives {

class Communicator {
public:
  struct Start {
    Mesh mesh;
    Job job;
    Settings settings;
    std::optional<Fabric> measured = {};  // of a group that this one is a part of
    std::chrono::milliseconds call_timeout{};
    Whole whole = {};
  };
  /// Connects the ranks. Collective; throws Error.
  Communicator(Start start, Deadline deadline);
  /// Finishes what is under way and tells the others that this rank leaves.
  ~Communicator();
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  std::chrono::milliseconds timeout(const CallOptions& options) const {
    return options.timeout ? std::clamp(*options.timeout, std::chrono::milliseconds(0), kLongest) : timeout_;
  }

  /// Carries the request out, after those that were started before.
  void run(Request& request);
  std::shared_ptr<Pending> start(const Request& request);
  /// The last call again, on other data, if that was the same small one over shared memory: programs repeat
  /// themselves, and preparing the call would take as long as the call. False: nothing was done.
  bool repeat(const Call& call, const void* in, void* out, const CallOptions& options) {
    const Call& last = repeated_.call;
    // Where there is a progress thread, it may be at work on any of this.
    if (progress_ || !repeats_ || call.count != last.count || call.operation != last.operation ||
        call.dtype != last.dtype || call.op != last.op || call.root != last.root ||
        (in == nullptr) != repeated_.no_input || (out == nullptr) != repeated_.no_output ||
        !options.algorithm.empty() || options.timeout || over_.load(std::memory_order_relaxed))
      return false;
    repeat(in, out);
    return true;
  }

  /// The messages of one call: one, or the two of sendrecv.
  void run(const std::vector<std::shared_ptr<Message>>& messages);
  std::shared_ptr<Pending> start(const std::vector<std::shared_ptr<Message>>& messages);

  std::unique_ptr<Communicator> split(int color, int key, std::chrono::milliseconds timeout);
  void abort();
  Stats stats() const;
  std::string explain(const std::string& operation, std::size_t bytes);
  std::shared_ptr<void> allocate(std::size_t bytes);

  // For the progress thread, in its turn.
  std::mutex& turn() { return turn_; }
  std::atomic<int>& waiting_for_turn() { return waiting_for_turn_; }
  /// Collectives that were started and are not done; while there are none, a blocking call needs no other
  /// thread.
  std::atomic<std::uint32_t>& started() { return started_; }
  /// Carries the request out; the Error that it ended with.
  std::optional<Error> attempt(Request& request);
  /// Looks around and moves messages. True when it should be called again soon.
  bool tend();
  /// There are messages of this rank to wait for.
  bool busy();
  /// The same, or others' messages may have to be passed on.
  bool on_duty() { return busy() || (passes_on_ && !over_); }
  void add_descriptors(std::vector<pollfd>& entries);
  /// There are messages whose arrival no descriptor tells.
  bool sleepless() const { return messages_->sleepless(); }

private:
  static constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24 * 366);

  void connect(Start& start, Deadline deadline);
  Fabric fabric_to_decide_by(const Start& start, Deadline deadline);
  std::vector<std::string> known_algorithms() const;
  bool knows(const std::string& algorithm) const;
  void require_known_algorithm() const;
  void require_links(const Fabric& fabric) const;
  void execute(Request& request);
  void carry_out(Request& request, const Signature& signature);
  void repeat(const void* in, void* out);
  const Choice& choose(const Request& request);
  void run_program(Request& request, const Signature& signature);
  void complete(const std::vector<std::shared_ptr<Message>>& messages);
  void rest(Pacer& pacer);
  void attend();
  void take_in();
  Error ended(const std::string& text);
  void end(const Error& error);
  [[noreturn]] void fail(const std::string& text, const std::exception& error);
  void warn_of_fall_back(Operation operation, const std::string& algorithm);
  void count(std::uint64_t sent, std::uint64_t received);
  void note_memory();
  std::unique_ptr<Communicator> divide_up(int color, int key, Deadline deadline);
  Progress& progress();

  // The thread that uses the group is the only one until there is a progress thread; from then on it is let
  // in before that one goes on.
  template <class Body>
  void in_turn(Body body) {
    if (!progress_) return body();
    ++waiting_for_turn_;
    const std::lock_guard turn(turn_);
    --waiting_for_turn_;
    body();
  }

  int rank_;
  int size_;
  std::chrono::milliseconds timeout_;
  Mesh mesh_;
  Job job_;
  Settings settings_;
  std::mutex control_;  // what is sent and heard over mesh_, and ended_
  std::optional<Error> ended_;
  std::atomic<bool> over_ = false;  // ended_ is set
  Bell bell_;                       // wakes whoever's turn it is

  Links links_;
  std::unique_ptr<Messages> messages_;
  std::unique_ptr<Lookout> lookout_;
  std::unique_ptr<Choices> choices_;
  std::unique_ptr<Executor> executor_;
  ShmDomain::Mismatch shm_mismatch_;
  Executor::CheckHeader check_header_;
  const Signature* signature_ = nullptr;  // of the call under way

  std::uint64_t calls_ = 0;  // collectives begun
  struct Repeated {
    Call call;
    Signature signature;
    Volume volume;
    bool no_input = false;
    bool no_output = false;
  };
  Repeated repeated_;     // of repeat()
  bool repeats_ = false;  // the last call may be repeated
  std::atomic<std::uint64_t> completed_ = 0;
  std::atomic<std::uint64_t> sent_ = 0;
  std::atomic<std::uint64_t> received_ = 0;
  std::atomic<std::size_t> memory_ = 0;  // held after the last operation that may have changed it
  std::uint32_t warned_ = 0;             // a bit for each operation that JACKAL_ALGORITHM cannot do

  std::mutex inbox_mutex_;
  std::vector<std::shared_ptr<Message>> inbox_;  // started, and not yet taken in
  std::atomic<bool> inbox_full_ = false;

  std::mutex turn_;  // only needed once there is a progress thread
  std::atomic<int> waiting_for_turn_ = 0;
  bool passes_on_ = false;
  std::atomic<std::uint32_t> started_ = 0;
  std::atomic<Progress*> ringing_ = nullptr;  // progress_, for abort()
  std::unique_ptr<Progress> progress_;  // from the first asynchronous call on; last, so that it ends first
};

}  // namespace jackal::collectives
