#include "remote_node.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <deque>

#include "channel.hpp"
#include "guard_channel.hpp"
#include "guard_script.hpp"
#include "jackal/base/random.hpp"
#include "jackal/base/text.hpp"
#include "remote_process.hpp"
#include "ssh_by_hand.hpp"

namespace jackal::remote {
namespace {

// sshd's default MaxSessions. A server that allows fewer refuses a channel, which then goes to a further
// connection.
constexpr std::size_t kChannelsPerConnection = 10;
// Connections made at a time for channels that found no place; more would only run into sshd's MaxStartups.
constexpr std::size_t kMostConnectionsAtOnce = 8;

std::string_view signal_name(int number) {
  switch (number) {
    case SIGHUP:
      return "HUP";
    case SIGINT:
      return "INT";
    case SIGQUIT:
      return "QUIT";
    case SIGKILL:
      return "KILL";
    case SIGUSR1:
      return "USR1";
    case SIGUSR2:
      return "USR2";
    case SIGTERM:
      return "TERM";
    case SIGCONT:
      return "CONT";
    case SIGTSTP:
      return "TSTP";
    case SIGWINCH:
      return "WINCH";
    default:
      return "TERM";
  }
}

class RemoteNode : public Node, public RemoteProcess::Owner, public GuardChannel::Owner {
public:
  RemoteNode(Loop& loop, NodeOptions options, Events events, ConnectFunction connect)
      : loop_(loop),
        options_(std::move(options)),
        events_(std::move(events)),
        connect_(std::move(connect)),
        guard_(*this, "jk" + to_hex(random_bytes(8))) {
    guard_options_ = {guard_.key(),
                      options_.id,
                      options_.want_busy_ports,
                      false,
                      std::chrono::duration_cast<std::chrono::seconds>(options_.silence),
                      options_.grace};
    const std::size_t channels = options_.expected_processes + 1;
    const std::size_t wanted = (channels + kChannelsPerConnection - 1) / kChannelsPerConnection;
    for (std::size_t i = 0; i < wanted; ++i) add_connection();
    for (std::size_t i = 0; i < options_.expected_processes; ++i) {
      processes_.push_back(std::make_unique<RemoteProcess>(*this, loop_, i, guard_options_.key));
    }
  }

  std::vector<Process*> start(std::vector<Start> starts) override;
  void finish(std::function<void(Finished)> done) override;

  // RemoteProcess::Owner
  void refused(RemoteProcess& process) override;
  void signal_process(std::size_t index, int number) override {
    tell_guard(fmt::format("sig {} {}\n", signal_name(number), index));
  }
  void process_ended(std::size_t index) override { tell_guard(fmt::format("ended {}\n", index)); }
  void start_failed(const Error& error) override {
    fail_with({error.code, options_.name, error.what, error.hint});
  }
  // On a slow line much may stand before the answer to a heartbeat, and is a sign of life itself.
  void node_heard() override { heard_ = Clock::now(); }
  std::chrono::seconds grace() const override { return options_.grace; }

  // GuardChannel::Owner
  void guard_refused() override {
    fail_with({ErrorCode::unreachable, options_.name, "refuses to run anything for this login",
               check_by_hand(options_)});
  }
  void guard_says(std::string_view message) override;
  void guard_lists(std::string_view listener) override { read_listener(listener, facts_); }
  void guard_exited(ExitStatus status) override;
  bool begun() const override { return phase_ != Phase::greeting && phase_ != Phase::starting; }

private:
  struct Slot {
    std::unique_ptr<Connection> connection;
    bool connected = false;
    bool full = false;
    std::size_t channels = 0;
  };

  enum class Phase { connecting, greeting, ready, starting, running, finishing, over };

  void add_connection();
  void connected(Slot& slot, const std::string& address);
  void open_channels();
  Slot* slot_with_room();
  void fail_to_begin(ExitStatus status);
  void rescue();
  void begin_processes();
  void tell_guard(const std::string& line);
  void beat();
  void fail_with(Error error);
  void over();

  Loop& loop_;
  NodeOptions options_;
  Events events_;
  ConnectFunction connect_;
  GuardOptions guard_options_;
  Phase phase_ = Phase::connecting;
  std::vector<std::unique_ptr<Slot>> slots_;
  GuardChannel guard_;
  std::vector<std::unique_ptr<RemoteProcess>> processes_;
  std::deque<RemoteProcess*> unplaced_;  // processes that have no channel yet
  NodeFacts facts_;
  std::string directory_;
  bool guard_lost_ = false;
  bool disk_refused_ = false;
  std::size_t most_channels_ = kChannelsPerConnection;  // of a connection, as far as sshd has told
  long beats_ = 0;
  Clock::time_point heard_ = Clock::now();
  std::vector<std::unique_ptr<Channel>> refused_;
  Loop::Timer deadline_, heartbeat_, reopen_, later_;
  std::function<void(Finished)> done_;
  Finished finished_;
};

void RemoteNode::add_connection() {
  auto slot = std::make_unique<Slot>();
  Slot* raw = slot.get();
  Connection::Events events{[this, raw](const std::string& address) { connected(*raw, address); },
                            [this, raw](const Error& error) {
                              raw->connected = false;
                              raw->full = true;
                              fail_with(error);
                            },
                            [this](const std::string& notice) { events_.on_notice(notice); }};
  slots_.push_back(std::move(slot));
  raw->connection = connect_(std::move(events));
}

void RemoteNode::connected(Slot& slot, const std::string& address) {
  slot.connected = true;
  if (!guard_.is_open()) {
    facts_.address = address;
    guard_options_.want_route_source = address.empty();
    phase_ = Phase::greeting;
    deadline_ = loop_.after(options_.start_timeout, [this] {
      fail_with({ErrorCode::timed_out, options_.name,
                 fmt::format("logged in, but its shell did not answer within {} s",
                             options_.start_timeout.count() / 1000),
                 "Its login files may wait for something. " + check_by_hand(options_)});
    });
    ++slot.channels;
    guard_.open(*slot.connection, guard_prelude(guard_options_));
    for (const auto& process : processes_) unplaced_.push_back(process.get());
  }
  open_channels();
}

RemoteNode::Slot* RemoteNode::slot_with_room() {
  for (const auto& slot : slots_) {
    if (slot->connected && !slot->full && slot->channels < most_channels_) return slot.get();
  }
  return nullptr;
}

void RemoteNode::open_channels() {
  while (!unplaced_.empty()) {
    Slot* slot = slot_with_room();
    if (slot == nullptr) break;
    ++slot->channels;
    unplaced_.front()->attach(slot->connection->open(*unplaced_.front()), slot);
    unplaced_.pop_front();
  }
  const bool coming =
      std::any_of(slots_.begin(), slots_.end(), [](const auto& slot) { return !slot->connected; });
  if (unplaced_.empty() || coming) return;
  const std::size_t wanted = (unplaced_.size() + most_channels_ - 1) / most_channels_;
  for (std::size_t i = 0; i < std::min(wanted, kMostConnectionsAtOnce); ++i) add_connection();
}

void RemoteNode::refused(RemoteProcess& process) {
  auto [channel, place] = process.detach();
  auto* slot = static_cast<Slot*>(place);
  refused_.push_back(std::move(channel));  // it is calling us: it may go only later
  slot->full = true;
  if (--slot->channels == 0) {
    return fail_with({ErrorCode::unreachable, options_.name, "accepts the login but no session on it",
                      "Raise MaxSessions in its sshd_config."});
  }
  most_channels_ = std::min(most_channels_, slot->channels);
  unplaced_.push_back(&process);
  reopen_ = loop_.after(Clock::duration::zero(), [this] {
    refused_.clear();
    open_channels();
  });
}

void RemoteNode::guard_says(std::string_view message) {
  if (phase_ == Phase::over) return;
  if (message.starts_with("hello ")) {
    if (phase_ != Phase::greeting) return;
    directory_ = message.substr(6);
    phase_ = Phase::ready;
    deadline_.reset();
    heartbeat_ = loop_.after(options_.heartbeat, [this] { beat(); });
    events_.on_ready(facts_);
  } else if (message == "ready") {
    if (phase_ == Phase::starting) begin_processes();
  } else if (message == "nodir" || message == "failed") {
    disk_refused_ = true;  // it ends now, and has told standard error why
  } else if (message.starts_with("path ")) {
    const std::size_t space = message.find(' ', 5);
    const auto index = parse_integer<std::size_t>(message.substr(5, space - 5));
    if (space == std::string_view::npos || !index || *index >= processes_.size()) return;
    finished_.search_paths.resize(processes_.size());
    finished_.search_paths[*index] = message.substr(space + 1);
  } else if (message == "busy") {
    finished_.coordinator_busy = true;
  } else if (message.starts_with("left ")) {
    finished_.left_over.push_back(
        fmt::format("{}: process group {} did not end, not even by KILL", options_.name, message.substr(5)));
  } else if (phase_ == Phase::greeting) {
    read_fact(message, facts_);
  }
}

std::vector<Process*> RemoteNode::start(std::vector<Start> starts) {
  std::vector<Process*> started;
  std::vector<Command> commands;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (i == processes_.size()) {
      processes_.push_back(std::make_unique<RemoteProcess>(*this, loop_, i, guard_options_.key));
      unplaced_.push_back(processes_.back().get());
    }
    const auto terminal = starts[i].command.terminal ? starts[i].terminal.value_or(TerminalSize{})
                                                     : std::optional<TerminalSize>();
    processes_[i]->prepare(process_words(directory_, i), terminal, starts[i].events);
    started.push_back(processes_[i].get());
    commands.push_back(std::move(starts[i].command));
  }
  const auto setup = guard_setup(directory_, guard_options_.key, commands);
  if (!setup) {
    later_ = loop_.after(Clock::duration::zero(), [this, error = setup.error()] { fail_with(error); });
    return started;
  }
  phase_ = Phase::starting;
  deadline_ = loop_.after(options_.start_timeout, [this] {
    fail_with(
        {ErrorCode::timed_out, options_.name, "did not take the job's files in time",
         "The line there is slow, or the machine is busy: try again, or look what keeps it busy with top."});
  });
  guard_.write(*setup);
  return started;
}

void RemoteNode::begin_processes() {
  phase_ = Phase::running;
  deadline_.reset();
  open_channels();
  for (const auto& process : processes_) process->go();
}

void RemoteNode::tell_guard(const std::string& line) {
  if (phase_ == Phase::running && guard_.is_open() && !guard_lost_) guard_.write(line);
}

void RemoteNode::beat() {
  if (phase_ == Phase::ready || phase_ == Phase::starting || phase_ == Phase::running) {
    if (Clock::now() - heard_ > options_.silence) {
      return fail_with({ErrorCode::lost, options_.name,
                        fmt::format("has not answered for {} s", options_.silence.count() / 1000),
                        "The network or the machine is gone; what ran there ends by itself within 40 s."});
    }
    if (!guard_lost_) guard_.write(fmt::format("beat {}\n", ++beats_));
  }
  heartbeat_ = loop_.after(options_.heartbeat, [this] { beat(); });
}

void RemoteNode::guard_exited(ExitStatus status) {
  if (phase_ == Phase::over) return;
  guard_lost_ = true;
  if (phase_ == Phase::finishing) return over();
  if (!begun()) return fail_to_begin(status);
  fail_with(guard_ended(options_.name, status));
}

void RemoteNode::fail_to_begin(ExitStatus status) {
  std::string complaints = guard_.complaints();
  if (!complaints.empty()) complaints.insert(0, ": ");
  if (disk_refused_) {
    return fail_with(
        {ErrorCode::unreachable, options_.name, "cannot write its temporary files there" + complaints,
         "Make room in its /tmp, or set TMPDIR for its login shell to a directory that has some."});
  }
  fail_with({ErrorCode::unreachable, options_.name,
             fmt::format("its login shell ended with {} {} before the job began{}",
                         status.signalled ? "signal" : "code", status.number, complaints),
             fmt::format("Check with: {} /bin/sh -c true", ssh_by_hand(options_))});
}

void RemoteNode::fail_with(Error error) {
  if (phase_ == Phase::over) return;
  if (phase_ == Phase::finishing) {
    finished_.left_over.push_back(error.text());
    return over();
  }
  // A guard that died alone leaves a connection over which finish() can still clean up.
  const bool can_clean_up = guard_lost_ && !directory_.empty() && error.code == ErrorCode::lost;
  const bool guard_lives =
      guard_.is_open() && !guard_lost_ && !directory_.empty() && error.code != ErrorCode::lost;
  phase_ = can_clean_up || guard_lives ? Phase::ready : Phase::over;
  deadline_.reset();
  heartbeat_.reset();
  for (const auto& process : processes_) process->silence();
  const auto tell = events_.on_failed;
  tell(std::move(error));
}

void RemoteNode::finish(std::function<void(Finished)> done) {
  done_ = std::move(done);
  heartbeat_.reset();
  if (phase_ == Phase::over || phase_ == Phase::connecting || !guard_.is_open()) {
    later_ = loop_.after(Clock::duration::zero(), [this] { over(); });
    return;
  }
  phase_ = Phase::finishing;
  deadline_ = loop_.after(options_.grace + std::chrono::seconds(10), [this] {
    finished_.left_over.push_back(options_.name + ": the guard did not confirm that everything has ended");
    over();
  });
  if (guard_lost_) {
    // Later, since it may be the lost guard's channel that is calling us.
    later_ = loop_.after(Clock::duration::zero(), [this] { rescue(); });
    return;
  }
  guard_.write(fmt::format("grace {}\n", options_.grace.count()));
  guard_.close_input();
}

void RemoteNode::rescue() {
  // The old guard's group (its watchdog) goes with the directory that it watches.
  Slot* slot = slot_with_room();
  if (slot == nullptr) return over();
  guard_.open(*slot->connection, guard_rescue(guard_options_, directory_, processes_.size()));
  guard_lost_ = false;
}

void RemoteNode::over() {
  phase_ = Phase::over;
  deadline_.reset();
  heartbeat_.reset();
  if (!done_) return;
  const auto done = std::move(done_);
  done_ = nullptr;
  done(std::move(finished_));
}

}  // namespace

std::unique_ptr<Node> make_remote_node(Loop& loop, NodeOptions options, Node::Events events,
                                       ConnectFunction connect) {
  return std::make_unique<RemoteNode>(loop, std::move(options), std::move(events), std::move(connect));
}

}  // namespace jackal::remote
