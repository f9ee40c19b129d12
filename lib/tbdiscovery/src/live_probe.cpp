#include "jackal/tbdiscovery/live_probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

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

class LiveProbe::Asked {
public:
  Asked(LiveProbe& owner, remote::Shell& shell) : owner_(owner), shell_(shell) { probes.node = shell.name(); }

  void ask() {
    shell_.run({probe_script(), [this](std::string_view line) { told(line); },
                [this](const Result<remote::Shell::Outcome>& outcome) { ended(outcome); }});
  }

  NodeProbes probes;
  bool over = false;

private:
  /// "begun", then a "done FILE" for every command.
  void told(std::string_view line) {
    if (line == "begun") {
      started_ = Clock::now();
      timer_ = owner_.loop_.after(owner_.patience_, [this] {
        shell_.terminate();
        timer_ = owner_.loop_.after(kAfterTerm, [this] {
          shell_.abandon({ErrorCode::timed_out, probes.node, "did not answer in time",
                          "Log in there and see whether system_profiler hangs."});
        });
      });
    } else if (line.compare(0, 5, "done ") == 0) {
      done_.insert_or_assign(std::string(line.substr(5)), since(started_));
    }
  }

  void ended(const Result<remote::Shell::Outcome>& outcome) {
    timer_.reset();
    if (!outcome) return fail_with(outcome.error());
    if (outcome->out.size() > kMostBytes) {
      return fail_with({ErrorCode::bad_input, probes.node, "its commands print more than any Mac would", ""});
    }
    auto files = read_probe_frames(outcome->out);
    if (!files) {
      Error error = files.error();
      error.where = probes.node;
      return fail_with(std::move(error));
    }
    for (auto& [file, output] : *files) {
      const auto done = done_.find(file);
      output.milliseconds = done == done_.end() ? since(started_) : done->second;
    }
    probes.files = std::move(*files);
    finish(fmt::format("{} commands answered in {:.1f} s", probes.files.size(),
                       static_cast<double>(since(started_)) / 1000));
  }

  void fail_with(Error error) {
    probes.failure = std::move(error);
    finish(probes.failure->what);
  }

  void finish(const std::string& text) {
    over = true;
    owner_.events_.on_progress(probes.node, text);
    owner_.node_over();
  }

  LiveProbe& owner_;
  remote::Shell& shell_;
  Clock::time_point started_ = Clock::now();
  std::map<std::string, std::int64_t> done_;  // file → milliseconds
  remote::Loop::Timer timer_;
};

LiveProbe::LiveProbe(remote::Loop& loop, const std::vector<remote::Shell*>& shells, milliseconds patience,
                     Events events)
    : loop_(loop), patience_(patience), events_(std::move(events)) {
  for (auto* shell : shells) asked_.push_back(std::make_unique<Asked>(*this, *shell));
  for (const auto& asked : asked_) asked->ask();
}

LiveProbe::~LiveProbe() = default;

void LiveProbe::node_over() {
  if (!std::all_of(asked_.begin(), asked_.end(), [](const auto& asked) { return asked->over; })) return;
  RawProbes probes;
  for (const auto& asked : asked_) probes.push_back(std::move(asked->probes));
  events_.on_done(std::move(probes));
}

}  // namespace jackal::tbdiscovery
