// The installed ssh program as the way to a node: for configurations that need what libssh lacks. The first
// channel is a ControlMaster; the others go through it, or, where it refuses (MaxSessions), over connections
// of their own. A guard ends the master and removes its socket, should we die: then the others end too.
#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

#include "channel.hpp"
#include "child_channel.hpp"
#include "child_watch.hpp"
#include "jackal/base/random.hpp"
#include "jackal/remote/quote.hpp"
#include "local_guard.hpp"

namespace jackal::remote {
namespace {

class SystemSshConnection : public Connection, private ChannelEvents {
public:
  SystemSshConnection(Loop& loop, const NodeOptions& options, Events events)
      : loop_(loop),
        options_(options),
        events_(std::move(events)),
        directory_("/tmp/jackal-ssh-" + to_hex(random_bytes(8))) {
    start_guard();
    // Not below TMPDIR, which is long on macOS: a socket's path is limited to about 100 bytes.
    ::mkdir(directory_.c_str(), 0700);
    master_ =
        std::make_unique<ChildChannel>(loop_, static_cast<ChannelEvents&>(*this), [this](const auto&, bool) {
          // Says so on its standard output once it is connected, and lives until its input ends.
          SpawnRequest request{ssh({"-o", "ControlMaster=yes", "-T"}, {"echo", "connected;", "exec", "cat"})};
          if (guard_) request.in_child = [this] { guard_->announce_self(0); };
          return request;
        });
    start_ = loop_.after(Clock::duration::zero(), [this] { master_->exec({"ssh"}, std::nullopt); });
    deadline_ = loop_.after(options_.connect_timeout + options_.authenticate_timeout,
                            [this] { fail_with(ErrorCode::timed_out, "ssh did not connect in time"); });
  }

  ~SystemSshConnection() override {
    master_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
    if (guard_) guard_->dismiss();
  }

  std::unique_ptr<Channel> open(ChannelEvents& events) override {
    return std::make_unique<ChildChannel>(
        loop_, events, [this](const std::vector<std::string>& words, bool terminal) {
          std::vector<std::string> command{"exec"};
          command.insert(command.end(), words.begin(), words.end());
          return SpawnRequest{ssh({"-o", "ControlMaster=no", terminal ? "-tt" : "-T"}, command)};
        });
  }

private:
  void start_guard() {
    auto guard = LocalGuard::start({directory_}, std::chrono::seconds(1));
    if (!guard) return;  // no process left to fork: ssh will not start either, and say so
    guard_.emplace(std::move(*guard));
    watch_child(loop_, guard_->id(), nullptr);
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
  void on_output(Stream stream, std::string_view bytes) override {
    auto& text = stream == Stream::out ? said_ : complaints_;
    text.append(bytes.substr(0, 4096));
    if (connected_ || said_.find("connected") == std::string::npos) return;
    connected_ = true;
    deadline_.reset();
    events_.on_connected("");
  }
  void on_input_drained() override {}
  void on_exit(ExitStatus) override {
    if (connected_) return fail_with(ErrorCode::lost, "ssh lost the connection");
    const bool refused = complaints_.find("Permission denied") != std::string::npos ||
                         complaints_.find("Host key verification") != std::string::npos;
    fail_with(refused ? ErrorCode::unauthenticated : ErrorCode::unreachable, "ssh could not connect");
  }
  void on_streams_ended() override {}

  void fail_with(ErrorCode code, const std::string& what) {
    deadline_.reset();
    events_.on_failed({code, options_.name, what + (complaints_.empty() ? "" : ": " + complaints_),
                       "Check with: " + quote(ssh({}, {"true"}))});
  }

  Loop& loop_;
  NodeOptions options_;
  Events events_;
  std::string directory_;
  std::optional<LocalGuard> guard_;
  std::unique_ptr<ChildChannel> master_;
  bool connected_ = false;
  std::string said_, complaints_;
  Loop::Timer start_, deadline_;
};

}  // namespace

std::unique_ptr<Connection> connect_system_ssh(Loop& loop, const NodeOptions& options,
                                               Connection::Events events) {
  return std::make_unique<SystemSshConnection>(loop, options, std::move(events));
}

}  // namespace jackal::remote
