// A connection over libssh. A worker thread does what blocks (session.cpp); from then on the session is
// non-blocking and belongs to the loop: its socket is watched, libssh handles the packets, its callbacks only
// put bytes and ends aside, and what was put aside is told afterwards – so no listener is ever called from
// inside libssh.
#include <fmt/format.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <signal.h>

#include <algorithm>
#include <map>
#include <random>
#include <thread>
#include <utility>

#include "../channel.hpp"
#include "../ssh_by_hand.hpp"
#include "../ssh_plugin.hpp"
#include "host_settings.hpp"
#include "jackal/remote/quote.hpp"
#include "session.hpp"

namespace jackal::remote {
namespace {

constexpr int kMostAttempts = 12;  // against MaxStartups, with up to about 6 s between the first and the last

// What the channels together hand to libssh at a time, and only once its last bytes have left: a heartbeat
// waits for no more than that, however slow the line.
constexpr std::size_t kMostBeforeBeat = 128 * 1024;

class LibsshConnection;

int signal_number(std::string_view name) {
  static const std::map<std::string_view, int> numbers{
      {"ABRT", SIGABRT}, {"ALRM", SIGALRM}, {"FPE", SIGFPE},   {"HUP", SIGHUP},   {"ILL", SIGILL},
      {"INT", SIGINT},   {"KILL", SIGKILL}, {"PIPE", SIGPIPE}, {"QUIT", SIGQUIT}, {"SEGV", SIGSEGV},
      {"TERM", SIGTERM}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"BUS", SIGBUS},   {"TRAP", SIGTRAP},
      {"SYS", SIGSYS},   {"XCPU", SIGXCPU}};
  // OpenSSH adds "@openssh.com" to those that RFC 4254 does not name.
  const auto found = numbers.find(name.substr(0, name.find('@')));
  return found == numbers.end() ? SIGKILL : found->second;
}

class LibsshChannel : public Channel {
public:
  LibsshChannel(LibsshConnection& connection, ChannelEvents& events);
  ~LibsshChannel() override;

  void exec(const std::vector<std::string>& words, const std::optional<TerminalSize>& terminal) override;
  void write(std::string_view bytes) override;
  void close_input() override;
  std::size_t unsent() const override { return queue_.size(); }
  std::string take_unsent() override { return std::exchange(queue_, {}); }
  void set_reading(bool reading) override;
  void resize(TerminalSize size) override;

  /// Takes its next steps with the server, as far as they go without blocking and with `most` bytes of input.
  void advance(std::size_t most);
  /// Tells the listener what was put aside. False when the listener may have dropped this channel.
  void tell();
  bool held_back() const { return held_back_; }

private:
  enum class Step { opening, idle, requesting_terminal, requesting_exec, running, refused };

  void open_step();
  void exec_step();
  void flush(std::size_t most);
  void read_kept();

  static int take_data(ssh_session, ssh_channel, void* data, std::uint32_t size, int is_stderr, void* self);
  static void take_exit_status(ssh_session, ssh_channel, int status, void* self);
  static void take_exit_signal(ssh_session, ssh_channel, const char* name, int, const char*, const char*,
                               void* self);
  static void take_close(ssh_session, ssh_channel, void* self);

  LibsshConnection& connection_;
  ChannelEvents& events_;
  ssh_channel channel_;
  ssh_channel_callbacks_struct callbacks_{};
  Step step_ = Step::opening;
  std::string command_;
  std::optional<TerminalSize> terminal_;
  std::string queue_;
  bool held_back_ = false;  // by us: more of the queue could go once the last bytes have left
  bool close_when_drained_ = false;
  bool eof_sent_ = false;
  bool reading_ = true;
  // Put aside by the callbacks, told by tell().
  std::string pending_[2];
  std::optional<ExitStatus> exit_;
  bool closed_ = false;
  bool drained_ = false;
  bool told_exit_ = false, told_end_ = false, told_refused_ = false;
};

class LibsshConnection : public Connection {
public:
  LibsshConnection(Loop& loop, const NodeOptions& options, Events events)
      : loop_(loop), options_(options), events_(std::move(events)), alive_(std::make_shared<bool>(true)) {
    start_ = loop_.after(Clock::duration::zero(), [this] { begin(); });
  }
  ~LibsshConnection() override {
    *alive_ = false;
    end_attempt();
  }

  std::unique_ptr<Channel> open(ChannelEvents& events) override {
    auto channel = std::make_unique<LibsshChannel>(*this, events);
    pump_soon();
    return channel;
  }

  ssh_session session() const { return established_.session.get(); }
  void add(LibsshChannel* channel) { channels_.push_back(channel); }
  void remove(LibsshChannel* channel) { std::erase(channels_, channel); }
  void pump_soon() {
    if (!pump_) pump_ = loop_.after(Clock::duration::zero(), [this] { pump(); });
  }

private:
  struct EventDeleter {
    void operator()(ssh_event event) const { ssh_event_free(event); }
  };

  void begin();
  void try_once();
  /// Afterwards nothing of libssh runs any more, and no proxy.
  void end_attempt();
  void established(Result<Established> result);
  void pump();
  /// Bytes wait for the socket, or for its word that it takes more.
  bool is_writing() const { return (ssh_get_poll_flags(session()) & SSH_WRITE_PENDING) != 0; }
  void fail_with(Error error);

  Loop& loop_;
  NodeOptions options_;
  Events events_;
  std::shared_ptr<bool> alive_;  // for the worker's last word
  HostSettings settings_;
  std::shared_ptr<Attempt> attempt_;
  std::thread worker_;  // of attempt_
  int tries_ = 0;
  Established established_;
  std::unique_ptr<std::remove_pointer_t<ssh_event>, EventDeleter> event_;
  std::vector<LibsshChannel*> channels_;  // each removes itself when it goes
  Loop::Watch watch_;
  Loop::Timer start_, retry_, deadline_, pump_;
  bool failed_ = false;
};

LibsshChannel::LibsshChannel(LibsshConnection& connection, ChannelEvents& events)
    : connection_(connection), events_(events), channel_(ssh_channel_new(connection.session())) {
  callbacks_.userdata = this;
  callbacks_.channel_data_function = take_data;
  callbacks_.channel_exit_status_function = take_exit_status;
  callbacks_.channel_exit_signal_function = take_exit_signal;
  callbacks_.channel_close_function = take_close;
  ssh_callbacks_init(&callbacks_);
  ssh_add_channel_callbacks(channel_, &callbacks_);
  connection_.add(this);
}

LibsshChannel::~LibsshChannel() {
  connection_.remove(this);
  // libssh keeps a channel until the server has closed it too: it must not call us then.
  ssh_remove_channel_callbacks(channel_, &callbacks_);
  ssh_channel_free(channel_);
}

int LibsshChannel::take_data(ssh_session, ssh_channel, void* data, std::uint32_t size, int is_stderr,
                             void* self) {
  auto& channel = *static_cast<LibsshChannel*>(self);
  if (!channel.reading_) return 0;  // stays in libssh's buffer, and the window closes
  channel.pending_[is_stderr != 0 ? 1 : 0].append(static_cast<const char*>(data), size);
  return static_cast<int>(size);
}

void LibsshChannel::take_exit_status(ssh_session, ssh_channel, int status, void* self) {
  static_cast<LibsshChannel*>(self)->exit_ = ExitStatus{false, status};
}

void LibsshChannel::take_exit_signal(ssh_session, ssh_channel, const char* name, int, const char*,
                                     const char*, void* self) {
  static_cast<LibsshChannel*>(self)->exit_ = ExitStatus{true, signal_number(name)};
}

void LibsshChannel::take_close(ssh_session, ssh_channel, void* self) {
  static_cast<LibsshChannel*>(self)->closed_ = true;
}

void LibsshChannel::exec(const std::vector<std::string>& words, const std::optional<TerminalSize>& terminal) {
  // `exec`, so that no login shell stays in between; the words are safe in every shell.
  command_ = "exec " + quote(words);
  terminal_ = terminal;
  connection_.pump_soon();
}

void LibsshChannel::write(std::string_view bytes) {
  queue_.append(bytes);
  connection_.pump_soon();
}

void LibsshChannel::close_input() {
  close_when_drained_ = true;
  connection_.pump_soon();
}

void LibsshChannel::set_reading(bool reading) {
  if (reading_ == reading) return;
  reading_ = reading;
  if (reading) connection_.pump_soon();
}

void LibsshChannel::resize(TerminalSize size) {
  if (step_ != Step::running || !terminal_) return;
  ssh_channel_change_pty_size(channel_, size.columns, size.rows);
  connection_.pump_soon();
}

void LibsshChannel::advance(std::size_t most) {
  if (step_ == Step::opening) open_step();
  if (step_ == Step::idle && !command_.empty()) {
    step_ = terminal_ ? Step::requesting_terminal : Step::requesting_exec;
  }
  if (step_ == Step::requesting_terminal || step_ == Step::requesting_exec) exec_step();
  if (step_ == Step::running) flush(most);
  if (reading_ && step_ == Step::running) read_kept();
}

void LibsshChannel::open_step() {
  const int result = ssh_channel_open_session(channel_);
  if (result == SSH_OK) step_ = Step::idle;
  if (result == SSH_ERROR) step_ = Step::refused;
}

void LibsshChannel::exec_step() {
  if (step_ == Step::requesting_terminal) {
    const char* kind = ::getenv("TERM");
    const int result = ssh_channel_request_pty_size(channel_, kind == nullptr ? "xterm" : kind,
                                                    terminal_->columns, terminal_->rows);
    if (result == SSH_AGAIN) return;
    step_ = result == SSH_OK ? Step::requesting_exec : Step::refused;
  }
  if (step_ == Step::requesting_exec) {
    const int result = ssh_channel_request_exec(channel_, command_.c_str());
    if (result == SSH_AGAIN) return;
    step_ = result == SSH_OK ? Step::running : Step::refused;
  }
}

void LibsshChannel::flush(std::size_t most) {
  const auto piece = static_cast<std::uint32_t>(std::min(most, queue_.size()));
  held_back_ = piece < queue_.size();
  if (piece > 0 && ssh_channel_is_open(channel_) != 0) {
    const int sent = ssh_channel_write(channel_, queue_.data(), piece);
    if (sent > 0) queue_.erase(0, static_cast<std::size_t>(sent));
    if (sent <= 0) held_back_ = false;  // by the server: it will tell when it takes more
    drained_ = queue_.empty();
  }
  if (!queue_.empty() && ssh_channel_is_open(channel_) == 0) {
    queue_.clear();  // nobody reads it any more
    drained_ = true;
  }
  if (queue_.empty() && close_when_drained_ && !eof_sent_ && ssh_channel_is_open(channel_) != 0) {
    // A terminal has no half to close: its end-of-file is the character ^D.
    if (terminal_) ssh_channel_write(channel_, "\x04", 1);
    eof_sent_ = terminal_ || ssh_channel_send_eof(channel_) != SSH_ERROR;
  }
}

// What arrived while nobody wanted it.
void LibsshChannel::read_kept() {
  char bytes[16 * 1024];
  for (const int is_stderr : {0, 1}) {
    while (ssh_channel_poll(channel_, is_stderr) > 0) {
      const int got = ssh_channel_read_nonblocking(channel_, bytes, sizeof bytes, is_stderr);
      if (got <= 0) break;
      pending_[is_stderr].append(bytes, static_cast<std::size_t>(got));
    }
  }
}

void LibsshChannel::tell() {
  if (step_ == Step::refused && !told_refused_) {
    told_refused_ = true;
    return events_.on_refused();
  }
  for (const Stream stream : {Stream::out, Stream::err}) {
    auto& pending = pending_[stream == Stream::out ? 0 : 1];
    if (!pending.empty()) events_.on_output(stream, std::exchange(pending, {}));
  }
  if (std::exchange(drained_, false)) events_.on_input_drained();
  if (exit_ && !told_exit_) {
    told_exit_ = true;
    events_.on_exit(*exit_);
  }
  const bool all_read = ssh_channel_is_eof(channel_) != 0 || reading_;
  if (closed_ && all_read && pending_[0].empty() && pending_[1].empty() && !told_end_) {
    told_end_ = true;
    if (!told_exit_) {
      // The server closed it without saying how the program ended: its session process was killed.
      told_exit_ = true;
      events_.on_exit({true, SIGKILL});
    }
    events_.on_streams_ended();
  }
}

void LibsshConnection::begin() {
  auto settings = load_host_settings(options_);
  if (!settings) return fail_with(settings.error());
  settings_ = std::move(*settings);
  for (const auto& keyword : settings_.not_honoured) {
    events_.on_notice(fmt::format("{} is not honoured; --ssh=system honours it", keyword));
  }
  // For all attempts together. A TCP connection and the key exchange have limits of their own.
  auto limit = options_.connect_timeout;
  if (settings_.connect_timeout) limit = *settings_.connect_timeout * 2;
  deadline_ = loop_.after(limit + options_.authenticate_timeout, [this] {
    attempt_->cancel.cancel();
    fail_with(
        {ErrorCode::timed_out, options_.name, "did not finish the login in time", check_by_hand(options_)});
  });
  try_once();
}

void LibsshConnection::end_attempt() {
  if (!worker_.joinable()) return;
  // Joined, so that what libcrypto keeps a thread is gone before the process ends.
  if (attempt_->cancel.cancel_and_wait()) {
    worker_.join();
  } else {
    worker_.detach();
  }
}

void LibsshConnection::try_once() {
  end_attempt();
  attempt_ = std::make_shared<Attempt>();
  attempt_->options = options_;
  attempt_->settings = settings_;
  attempt_->number = ++tries_;
  worker_ = std::thread([this, attempt = attempt_, alive = alive_, poster = loop_.poster()]() mutable {
    auto result = std::make_shared<Result<Established>>(establish(*attempt));
    attempt->cancel.tell([this, &alive, &result, &poster] {
      poster.post([this, alive, result] {
        if (*alive) established(std::move(*result));
      });
    });
    result.reset();  // a session that nobody takes ends here, before we count as gone
    poster = {};
    attempt->cancel.leave();
  });
}

void LibsshConnection::established(Result<Established> result) {
  if (failed_) return;
  if (!result) {
    if (result.error().code != ErrorCode::lost || tries_ >= kMostAttempts) return fail_with(result.error());
    // sshd drops at random past MaxStartups: come back at a random moment, later each time.
    static thread_local std::minstd_rand random(std::random_device{}());
    const int most = std::min(1000, 100 << std::min(tries_, 4));
    retry_ = loop_.after(std::chrono::milliseconds(std::uniform_int_distribution(20, most)(random)),
                         [this] { try_once(); });
    return;
  }
  deadline_.reset();
  established_ = std::move(*result);
  ssh_set_blocking(session(), 0);
  event_.reset(ssh_event_new());
  ssh_event_add_session(event_.get(), session());
  watch_ = loop_.watch(ssh_get_fd(session()), POLLIN, [this](short) { pump(); });
  for (const auto& notice : established_.notices) events_.on_notice(notice);
  events_.on_connected(established_.address);
}

void LibsshConnection::pump() {
  pump_.reset();
  if (failed_ || !event_) return;
  const bool broken = ssh_event_dopoll(event_.get(), 0) == SSH_ERROR || ssh_is_connected(session()) == 0;
  const std::size_t share = is_writing() ? 0 : kMostBeforeBeat / std::max<std::size_t>(channels_.size(), 1);
  // Listeners may open and drop channels while they are told.
  for (const auto* told : std::vector<LibsshChannel*>(channels_)) {
    const auto found = std::find(channels_.begin(), channels_.end(), told);
    if (found != channels_.end()) (*found)->advance(share);
  }
  for (const auto* told : std::vector<LibsshChannel*>(channels_)) {
    const auto found = std::find(channels_.begin(), channels_.end(), told);
    if (found != channels_.end()) (*found)->tell();
  }
  if (broken) {
    const char* words = ssh_get_error(session());
    return fail_with(
        {ErrorCode::lost, options_.name,
         fmt::format("the SSH connection broke: {}", *words == '\0' ? "closed by the other side" : words),
         "What ran there is ended by its guard."});
  }
  watch_.set_events(static_cast<short>(is_writing() ? POLLIN | POLLOUT : POLLIN));
  // The socket may have taken the last bytes while libssh was at work above.
  const auto held_back = [](const LibsshChannel* channel) { return channel->held_back(); };
  if (!is_writing() && std::any_of(channels_.begin(), channels_.end(), held_back)) pump_soon();
}

void LibsshConnection::fail_with(Error error) {
  if (failed_) return;
  failed_ = true;
  watch_.reset();
  deadline_.reset();
  retry_.reset();
  events_.on_failed(std::move(error));
}

}  // namespace
}  // namespace jackal::remote

extern "C" __attribute__((visibility("default"))) jackal::remote::Connection* JACKAL_SSH_ENTRY(
    jackal::remote::Loop& loop, const jackal::remote::NodeOptions& options,
    jackal::remote::Connection::Events* events);

extern "C" jackal::remote::Connection* JACKAL_SSH_ENTRY(jackal::remote::Loop& loop,
                                                        const jackal::remote::NodeOptions& options,
                                                        jackal::remote::Connection::Events* events) {
  return new jackal::remote::LibsshConnection(loop, options, std::move(*events));
}
