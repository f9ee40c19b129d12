#include "jackal/tbdiscovery/live_probe.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <map>
#include <set>

#include "jackal/base/random.hpp"
#include "probe_commands.hpp"

namespace jackal::tbdiscovery {
namespace {

using remote::Clock;
using std::chrono::milliseconds;

constexpr std::size_t kMostBytes = 4 * kProbeFileLimit;  // of one node
constexpr milliseconds kAfterTerm{5'000};  // for a script that was told to hand over what it has

std::int64_t since(Clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - start).count();
}

}  // namespace

class LiveProbe::Asked : public remote::ProcessEvents {
public:
  Asked(LiveProbe& owner, std::string id, const std::string& name) : owner_(owner), name_(name) {
    probes.node = name;
    remote::NodeOptions options;
    options.name = name;
    options.id = std::move(id);
    options.transport = owner.options_.transport;
    options.ssh_config = owner.options_.ssh_config;
    options.grace = std::chrono::seconds(1);
    node_ = remote::Node::connect(
        owner.loop_, std::move(options),
        {[this](const remote::NodeFacts&) { ask(); }, [this](const Error& error) { failed(error); },
         [this](std::string notice) { owner_.events_.on_notice(std::move(notice)); }});
  }

  void cancel() {
    if (!probes.failure && !ended_)
      probes.failure = Error{ErrorCode::lost, name_, "was not asked to the end", ""};
    finish();
  }

  void on_output(remote::Stream stream, std::string_view bytes) override {
    if (stream == remote::Stream::err) return told(bytes);
    if (text_.size() + bytes.size() <= kMostBytes) {
      text_.append(bytes);
    } else if (!probes.failure) {
      failed({ErrorCode::bad_input, name_, "its commands print more than any Mac would", ""});
    }
  }
  void on_input_drained() override {}
  void on_exit(remote::ExitStatus status) override {
    status_ = status;
    check_ended();
  }
  void on_streams_ended() override {
    streams_ended_ = true;
    check_ended();
  }

  NodeProbes probes;
  bool over = false;

private:
  void ask() {
    started_ = Clock::now();
    owner_.events_.on_progress(name_, "connected");
    remote::Command command;
    command.argv = {"sh", "-c", "exec sh \"$JACKAL_PROBE\""};
    command.files = {{"probe.sh", "JACKAL_PROBE", probe_script()}};
    process_ = node_->start({{std::move(command), this, std::nullopt}}).front();
    process_->close_input();
    timer_ = owner_.loop_.after(owner_.options_.patience, [this] {
      process_->signal(SIGTERM);
      timer_ = owner_.loop_.after(kAfterTerm, [this] {
        failed({ErrorCode::timed_out, name_, "did not answer in time",
                "Log in there and see whether system_profiler hangs."});
      });
    });
  }

  /// "done FILE" lines, in any pieces.
  void told(std::string_view bytes) {
    told_.append(bytes.substr(0, kMostBytes - std::min(told_.size(), kMostBytes)));
    for (auto end = told_.find('\n'); end != std::string::npos; end = told_.find('\n')) {
      const std::string line = told_.substr(0, end);
      told_.erase(0, end + 1);
      if (line.compare(0, 5, "done ") != 0) continue;
      done_.insert_or_assign(line.substr(5), since(started_));
    }
  }

  void check_ended() {
    if (!status_ || !streams_ended_ || ended_ || probes.failure) return;
    ended_ = true;
    auto files = read_frames(text_);
    if (!files) {
      Error error = files.error();
      error.where = name_;
      return failed(error);
    }
    for (auto& [file, output] : *files) {
      const auto done = done_.find(file);
      output.milliseconds = done == done_.end() ? since(started_) : done->second;
    }
    probes.files = std::move(*files);
    owner_.events_.on_progress(name_, fmt::format("{} commands answered in {:.1f} s", probes.files.size(),
                                                  static_cast<double>(since(started_)) / 1000));
    finish();
  }

  void failed(const Error& error) {
    if (!probes.failure && !ended_) {
      probes.failure = error;
      owner_.events_.on_progress(name_, error.what);
    }
    finish();
  }

  void finish() {
    timer_.reset();
    if (finishing_) return;
    finishing_ = true;
    node_->finish([this](const remote::Node::Finished&) {
      over = true;
      owner_.node_over();
    });
  }

  LiveProbe& owner_;
  std::string name_;
  remote::Process* process_ = nullptr;  // node_'s
  Clock::time_point started_ = Clock::now();
  std::string text_, told_;
  std::map<std::string, std::int64_t> done_;  // file → milliseconds
  std::optional<remote::ExitStatus> status_;
  bool streams_ended_ = false;
  bool ended_ = false;  // with its output whole
  bool finishing_ = false;
  std::unique_ptr<remote::Node> node_;
  remote::Loop::Timer timer_;
};

LiveProbe::LiveProbe(remote::Loop& loop, LiveProbeOptions options, Events events)
    : loop_(loop), options_(std::move(options)), events_(std::move(events)) {
  const std::string id = to_hex(random_bytes(8));
  for (std::size_t i = 0; i < options_.nodes.size(); ++i) {
    asked_.push_back(std::make_unique<Asked>(*this, fmt::format("{}-{}", id, i), options_.nodes[i]));
  }
}

LiveProbe::~LiveProbe() = default;

void LiveProbe::cancel() {
  for (const auto& asked : asked_) asked->cancel();
}

// The nodes may not be destroyed while one of them is calling: the end is told by the loop.
void LiveProbe::node_over() {
  if (asked_.size() < options_.nodes.size()) return;
  if (!std::all_of(asked_.begin(), asked_.end(), [](const auto& asked) { return asked->over; })) return;
  telling_ = loop_.after(Clock::duration::zero(), [this] {
    RawProbes probes;
    for (const auto& asked : asked_) probes.push_back(std::move(asked->probes));
    events_.on_done(std::move(probes));
  });
}

}  // namespace jackal::tbdiscovery
