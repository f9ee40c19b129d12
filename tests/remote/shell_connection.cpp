#include "shell_connection.hpp"

#include <utility>

#include "child_channel.hpp"

namespace jackal::remote::test {
namespace {

/// Refuses as late as a server may: once it has been told what to run.
class RefusedChannel : public Channel {
public:
  RefusedChannel(Loop& loop, ChannelEvents& events) : loop_(loop), events_(events) {}
  void exec(const std::vector<std::string>&, const std::optional<TerminalSize>&) override {
    soon_ = loop_.after(Clock::duration::zero(), [this] { events_.on_refused(); });
  }
  void write(std::string_view bytes) override { queue_.append(bytes); }
  void close_input() override {}
  std::size_t unsent() const override { return queue_.size(); }
  std::string take_unsent() override { return std::exchange(queue_, {}); }
  void set_reading(bool) override {}
  void resize(TerminalSize) override {}

private:
  Loop& loop_;
  ChannelEvents& events_;
  std::string queue_;
  Loop::Timer soon_;
};

class ShellConnection : public Connection {
public:
  ShellConnection(Loop& loop, ShellOptions options, Events events)
      : loop_(loop), options_(std::move(options)), events_(std::move(events)) {
    soon_ = loop_.after(Clock::duration::zero(), [this] { events_.on_connected("127.0.0.1"); });
  }

  std::unique_ptr<Channel> open(ChannelEvents& events) override {
    if (opened_++ >= options_.channels) return std::make_unique<RefusedChannel>(loop_, events);
    return std::make_unique<ChildChannel>(loop_, events, [this](const std::vector<std::string>& words, bool) {
      // words[0] is /bin/sh: what comes after it belongs to the shell under test.
      std::vector<std::string> argv{"/bin/sh", "-c",
                                    "printf %s \"$1\"; printf %s \"$1\" >&2; shift; exec \"$@\"", "login",
                                    options_.noise};
      argv.insert(argv.end(), options_.shell.begin(), options_.shell.end());
      argv.insert(argv.end(), words.begin() + 1, words.end());
      return SpawnRequest{argv};
    });
  }

private:
  Loop& loop_;
  ShellOptions options_;
  Events events_;
  std::size_t opened_ = 0;
  Loop::Timer soon_;
};

}  // namespace

std::unique_ptr<Connection> connect_shell(Loop& loop, const ShellOptions& options,
                                          Connection::Events events) {
  return std::make_unique<ShellConnection>(loop, options, std::move(events));
}

}  // namespace jackal::remote::test
