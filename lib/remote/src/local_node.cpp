#include "local_node.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "child_channel.hpp"
#include "child_watch.hpp"
#include "descriptors.hpp"
#include "guard_script.hpp"
#include "jackal/base/file.hpp"
#include "listening_ports.hpp"
#include "local_guard.hpp"
#include "process.hpp"
#include "remote_process.hpp"

namespace jackal::remote {
namespace {

namespace fs = std::filesystem;

constexpr auto kLook = std::chrono::milliseconds(20);  // between two looks at groups that were told to end

/// The address that other machines see of ours: that of a socket on its way to a documentation address (RFC
/// 5737). Connecting a datagram socket sends nothing.
std::string route_source() {
  const UniqueFd fd = open_socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(9);
  ::inet_pton(AF_INET, "192.0.2.1", &address.sin_addr);
  socklen_t size = sizeof address;
  char text[INET_ADDRSTRLEN] = "";
  if (fd && ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
  }
  return text;
}

class LocalNode : public Node, public RemoteProcess::Owner {
public:
  LocalNode(Loop& loop, NodeOptions options, Events events)
      : loop_(loop), options_(std::move(options)), events_(std::move(events)) {
    soon_ = loop_.after(Clock::duration::zero(), [this] {
      NodeFacts facts{"127.0.0.1", route_source(), {}};
      if (options_.want_busy_ports) facts.busy_ports = listening_ports();
      events_.on_ready(facts);
    });
  }
  // Destroyed without finish() it is as if we had died: the guard does the rest.

  std::vector<Process*> start(std::vector<Start> starts) override;
  void finish(std::function<void(Finished)> done) override;

  // RemoteProcess::Owner
  void refused(RemoteProcess&) override {}  // no channel of this machine refuses
  void signal_process(std::size_t index, int number) override {
    if (groups_[index].alive()) ::kill(-groups_[index].channel->child(), number);
  }
  void process_ended(std::size_t index) override {
    if (groups_[index].alive()) return;
    groups_[index].gone = true;
    if (guard_) guard_->forget(static_cast<int>(index));
  }
  void start_failed(const Error& error) override {
    fail_with({error.code, options_.name, error.what, error.hint});
  }
  void node_heard() override {}  // nothing but our death can part us
  std::chrono::seconds grace() const override { return options_.grace; }

private:
  struct Group {
    ChildChannel* channel = nullptr;  // owned by the process
    bool gone = false;                // seen empty: its number may be somebody else's by now

    bool alive() const {
      return !gone && channel != nullptr && channel->child() > 0 && ::kill(-channel->child(), 0) == 0;
    }
  };

  std::vector<std::string> possible_directories() const;
  Result<void> make_directory();
  Result<void> write_files(const std::vector<Start>& starts);
  Result<void> start_guard();
  SpawnRequest request_for(std::size_t index) const;
  void fail_with(Error error);
  bool signal_all(int number);
  void end_groups(bool killed, Clock::time_point until);
  void clean_up();

  Loop& loop_;
  NodeOptions options_;
  Events events_;
  std::string directory_;
  std::optional<LocalGuard> guard_;
  ChildWatch guard_watch_;
  bool failed_ = false;
  std::vector<Command> commands_;
  std::vector<Group> groups_;
  std::vector<std::unique_ptr<RemoteProcess>> processes_;
  std::function<void(Finished)> done_;
  Finished finished_;
  Loop::Timer soon_;
};

std::vector<std::string> LocalNode::possible_directories() const {
  std::vector<std::string> directories{"/tmp/jackal-" + options_.id};
  for (const char* variable : {"TMPDIR", "HOME"}) {
    const char* place = ::getenv(variable);
    if (place != nullptr) directories.push_back(std::string(place) + "/jackal-" + options_.id);
  }
  return directories;
}

Result<void> LocalNode::make_directory() {
  std::string tried;
  for (const std::string& directory : possible_directories()) {
    directory_ = directory;
    if (::mkdir(directory_.c_str(), 0700) == 0) return {};
    tried += fmt::format(" {}: {};", directory_, errno_text(errno));
  }
  directory_.clear();
  return fail({ErrorCode::io, options_.name, "cannot make a directory for the job's files:" + tried,
               "Make room in /tmp, or set TMPDIR."});
}

Result<void> LocalNode::write_files(const std::vector<Start>& starts) {
  std::set<std::string> written;
  for (const Start& start : starts) {
    for (const File& file : start.command.files) {
      if (!written.insert(file.name).second) continue;
      const auto done = create_file(fs::path(directory_) / file.name, file.bytes, 0600);
      if (!done) return fail(done.error());
    }
  }
  return create_file(fs::path(directory_) / "guard.pid", fmt::format("{}\n", guard_->id()), 0600);
}

Result<void> LocalNode::start_guard() {
  auto guard =
      LocalGuard::start(possible_directories(), std::min(options_.grace, kGraceAlone), groups_.size());
  if (!guard) return fail(guard.error());
  guard_.emplace(std::move(*guard));
  guard_watch_ = watch_child(loop_, guard_->id(),
                             [this](ExitStatus status) { fail_with(guard_ended(options_.name, status)); });
  return {};
}

SpawnRequest LocalNode::request_for(std::size_t index) const {
  const Command& command = commands_[index];
  SpawnRequest request{command.argv};
  request.environment = command.environment;
  request.directory = command.directory;
  for (const File& file : command.files) {
    if (!file.variable.empty()) request.environment.emplace_back(file.variable, directory_ + "/" + file.name);
  }
  std::error_code ignored;
  // Boost.Process goes on where it cannot enter a directory: it is asked for before.
  const bool enterable =
      fs::is_directory(command.directory, ignored) && ::access(command.directory.c_str(), X_OK) == 0;
  if (!command.directory.empty() && !enterable) {
    request.directory.clear();
    // Said by a shell, so that it ends as it would on any other node.
    if (command.directory_required) {
      request.argv = {"/bin/sh", "-c", "echo \"launch: cannot change to the directory $1\" >&2; exit 126",
                      "sh", command.directory};
    }
  }
  const auto is_pwd = [](const auto& entry) { return entry.first == "PWD"; };
  const auto& given = command.environment;
  if (!request.directory.empty() && std::none_of(given.begin(), given.end(), is_pwd)) {
    request.environment.emplace_back("PWD",
                                     fs::absolute(request.directory, ignored).string());  // as a shell's cd
  }
  request.in_child = [this, index] { guard_->announce_self(static_cast<int>(index)); };
  return request;
}

std::vector<Process*> LocalNode::start(std::vector<Start> starts) {
  groups_ = std::vector<Group>(starts.size());
  std::vector<Process*> started;
  auto ready = start_guard();
  if (ready) ready = make_directory();
  if (ready) ready = write_files(starts);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (ready) ready = check_environment(starts[i].command);
    processes_.push_back(std::make_unique<RemoteProcess>(*this, loop_, i, ""));
    started.push_back(processes_.back().get());
    std::optional<TerminalSize> terminal;
    if (starts[i].command.terminal) terminal = starts[i].terminal.value_or(TerminalSize{});
    processes_.back()->prepare({}, terminal, starts[i].events);
    commands_.push_back(std::move(starts[i].command));
  }
  if (!ready) {
    soon_ = loop_.after(Clock::duration::zero(), [this, error = ready.error()] { fail_with(error); });
    return started;
  }
  for (std::size_t i = 0; i < commands_.size(); ++i) {
    auto channel = std::make_unique<ChildChannel>(
        loop_, *processes_[i], [this, i](const std::vector<std::string>&, bool) { return request_for(i); });
    groups_[i].channel = channel.get();
    processes_[i]->attach(std::move(channel), nullptr);
    processes_[i]->go();
  }
  return started;
}

void LocalNode::fail_with(Error error) {
  if (std::exchange(failed_, true)) return;
  for (const auto& process : processes_) process->silence();
  events_.on_failed(std::move(error));
}

void LocalNode::finish(std::function<void(Finished)> done) {
  done_ = std::move(done);
  if (signal_all(SIGTERM)) signal_all(SIGCONT);
  end_groups(false, Clock::now() + options_.grace);
}

bool LocalNode::signal_all(int number) {
  bool any = false;
  for (const Group& group : groups_) {
    if (!group.alive()) continue;
    any = true;
    ::kill(-group.channel->child(), number);
  }
  return any;
}

// Looks again and again, since of a group only our own child tells its end.
void LocalNode::end_groups(bool killed, Clock::time_point until) {
  if (!signal_all(0)) return clean_up();
  if (Clock::now() < until) {
    soon_ = loop_.after(kLook, [this, killed, until] { end_groups(killed, until); });
    return;
  }
  if (!killed) {
    signal_all(SIGKILL);
    return end_groups(true, Clock::now() + std::chrono::seconds(2));
  }
  for (const Group& group : groups_) {
    if (!group.alive()) continue;
    finished_.left_over.push_back(fmt::format("{}: process group {} did not end, not even by KILL",
                                              options_.name, group.channel->child()));
  }
  clean_up();
}

void LocalNode::clean_up() {
  for (std::size_t i = 0; i < commands_.size(); ++i) {
    finished_.search_paths.push_back(path_searched_in_vain(request_for(i)));
  }
  if (!directory_.empty()) {
    std::error_code ignored;
    finished_.coordinator_busy = fs::exists(directory_ + "/coordinator-busy", ignored);
    fs::remove_all(directory_, ignored);
  }
  guard_watch_.reset();
  if (guard_) guard_->dismiss();
  soon_ = loop_.after(Clock::duration::zero(), [this] { done_(std::move(finished_)); });
}

}  // namespace

std::unique_ptr<Node> make_local_node(Loop& loop, NodeOptions options, Node::Events events) {
  return std::make_unique<LocalNode>(loop, std::move(options), std::move(events));
}

}  // namespace jackal::remote
