// The installed ssh program as the way to a node: for configurations that need what libssh lacks. The first
// channel is a ControlMaster; the others go through it, or, where it refuses (MaxSessions), over connections
// of their own.
#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <thread>

#include "channel.hpp"
#include "child_channel.hpp"
#include "child_watch.hpp"
#include "guard_script.hpp"
#include "jackal/base/random.hpp"
#include "local_guard.hpp"
#include "ssh_by_hand.hpp"

namespace jackal::remote {
namespace {

constexpr int kMostAttempts = 12;  // against MaxStartups, as over libssh

constexpr std::chrono::seconds kGrace{1};  // for an ssh without us

/// ssh itself is our child here: with the channel, or with us, goes the process, whatever it waits for.
class SshChannel : public ChildChannel {
public:
  /// The directories go with us, too.
  SshChannel(Loop& loop, ChannelEvents& events, const Prepare& prepare,
             const std::vector<std::string>& directories)
      : ChildChannel(loop, events, [this, prepare](const std::vector<std::string>& words, bool terminal) {
          SpawnRequest request = prepare(words, terminal);
          if (guard_) request.in_child = [this] { guard_->announce_self(0); };
          return request;
        }) {
    auto guard = LocalGuard::start(directories, kGrace, 1);
    if (!guard) return;  // what it lacks ssh will lack, too, and say so
    guard_.emplace(std::move(*guard));
    forget_child(loop, guard_->id());
  }
  ~SshChannel() override {
    if (is_running()) ::kill(-child(), SIGTERM);  // it leads a group of its own
    if (guard_) guard_->dismiss();
  }

private:
  std::optional<LocalGuard> guard_;
};

class SystemSshConnection : public Connection, private ChannelEvents {
public:
  SystemSshConnection(Loop& loop, const NodeOptions& options, Events events)
      : loop_(loop),
        options_(options),
        events_(std::move(events)),
        greeting_("jackal" + to_hex(random_bytes(8))) {
    start_ = loop_.after(Clock::duration::zero(), [this] { begin(); });
    deadline_ = loop_.after(options_.connect_timeout + options_.authenticate_timeout, [this] {
      master_.reset();
      fail_with(ErrorCode::timed_out, "ssh did not connect in time");
    });
  }

  ~SystemSshConnection() override {
    master_.reset();
    remove_directory();
  }

  std::unique_ptr<Channel> open(ChannelEvents& events) override {
    return std::make_unique<SshChannel>(
        loop_, events,
        [this](const std::vector<std::string>& words, bool terminal) {
          std::vector<std::string> command{"exec"};
          command.insert(command.end(), words.begin(), words.end());
          return SpawnRequest{ssh({"-o", "ControlMaster=no", terminal ? "-tt" : "-T"}, command)};
        },
        std::vector<std::string>{});
  }

private:
  void make_directory() {
    // A socket's path is limited to about 100 bytes: not below TMPDIR, which is long on macOS.
    std::string pattern = "/tmp/jackal-ssh-XXXXXX";
    directory_ = ::mkdtemp(pattern.data()) == nullptr ? "" : pattern;
  }

  // ssh, told to end, may be at work there at the same moment.
  void remove_directory() const {
    constexpr int kTries = 100;
    for (int i = 0; i < kTries && !directory_.empty(); ++i) {
      std::error_code ignored;
      std::filesystem::remove_all(directory_, ignored);
      if (!std::filesystem::exists(directory_, ignored)) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  void begin() {
    remove_directory();
    make_directory();
    if (directory_.empty()) {
      return fail_with(ErrorCode::unreachable, "cannot make a directory in /tmp for ssh's control socket");
    }
    ++tries_;
    said_.clear();
    complaints_.clear();
    exit_.reset();
    streams_ended_ = false;
    master_ = std::make_unique<SshChannel>(
        loop_, static_cast<ChannelEvents&>(*this),
        [this](const auto& words, bool) {
          return SpawnRequest{ssh({"-o", "ControlMaster=yes", "-T"}, words)};
        },
        std::vector{directory_});
    // Says so on its standard output once it is connected, and lives until its input ends.
    master_->exec({"echo", greeting_, "$SSH_CONNECTION;", "exec", "cat"}, std::nullopt);
  }

  std::vector<std::string> ssh(std::vector<std::string> options,
                               const std::vector<std::string>& words) const {
    std::vector<std::string> argv{"ssh"};
    if (options_.ssh_config) argv.insert(argv.end(), {"-F", options_.ssh_config->string()});
    argv.insert(argv.end(), {"-o", "BatchMode=yes", "-o", "ControlPersist=no", "-o",
                             "ControlPath=" + directory_ + "/master"});
    if (!options_.ssh_config) {
      const auto seconds = std::chrono::ceil<std::chrono::seconds>(options_.connect_timeout).count();
      argv.insert(argv.end(), {"-o", fmt::format("ConnectTimeout={}", seconds)});
    }
    argv.insert(argv.end(), options.begin(), options.end());
    argv.insert(argv.end(), {"--", options_.name});
    argv.insert(argv.end(), words.begin(), words.end());
    return argv;
  }

  void on_refused() override {}
  void on_start_failed(const Error& error) override {
    deadline_.reset();
    events_.on_failed({error.code, options_.name, error.what, error.hint});
  }
  void on_output(Stream stream, std::string_view bytes) override {
    constexpr std::size_t kKept = 4096;
    std::string& text = stream == Stream::out ? said_ : complaints_;
    text.append(bytes);
    look_for_greeting();
    if (text.size() > kKept) text.erase(0, text.size() - kKept);
  }
  void on_input_drained() override {}
  void on_exit(ExitStatus status) override {
    exit_ = status;
    settle();
  }
  void on_streams_ended() override {
    streams_ended_ = true;
    settle();
  }

  void look_for_greeting() {
    const std::size_t begin = said_.find(greeting_);
    const std::size_t end = said_.find('\n', std::min(begin, said_.size()));
    if (connected_ || end == std::string::npos) return;
    connected_ = true;
    deadline_.reset();
    const std::size_t address = begin + greeting_.size();
    events_.on_connected(server_address(std::string_view(said_).substr(address, end - address)));
  }

  // Its last words may come after its end, and are the reason for it.
  void settle() {
    if (!exit_ || !streams_ended_) return;
    if (connected_) return fail_with(ErrorCode::lost, "ssh lost the connection");
    const auto complains = [this](std::string_view words) {
      return complaints_.find(words) != std::string::npos;
    };
    if (complains("kex_exchange_identification") && tries_ < kMostAttempts) {
      // sshd drops at random past MaxStartups: come back at a random moment, later each time.
      static thread_local std::minstd_rand random(std::random_device{}());
      const int most = std::min(1000, 100 << std::min(tries_, 4));
      start_ = loop_.after(std::chrono::milliseconds(std::uniform_int_distribution(20, most)(random)),
                           [this] { begin(); });
      return;
    }
    const bool refused = complains("Permission denied") || complains("Host key verification");
    fail_with(refused ? ErrorCode::unauthenticated : ErrorCode::unreachable, "ssh could not connect");
  }

  void fail_with(ErrorCode code, const std::string& what) {
    deadline_.reset();
    std::string words = said_ + complaints_;
    words.erase(words.find_last_not_of(" \r\n") + 1);
    events_.on_failed(
        {code, options_.name, what + (words.empty() ? "" : ": " + words), check_by_hand(options_)});
  }

  Loop& loop_;
  NodeOptions options_;
  Events events_;
  const std::string greeting_;
  std::string directory_;
  std::unique_ptr<ChildChannel> master_;
  int tries_ = 0;
  bool connected_ = false;
  std::string said_, complaints_;  // the end of what the master printed
  std::optional<ExitStatus> exit_;
  bool streams_ended_ = false;
  Loop::Timer start_, deadline_;
};

}  // namespace

std::unique_ptr<Connection> connect_system_ssh(Loop& loop, const NodeOptions& options,
                                               Connection::Events events) {
  return std::make_unique<SystemSshConnection>(loop, options, std::move(events));
}

}  // namespace jackal::remote
