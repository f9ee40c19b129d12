#include "distributed-config/nodes.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "jackal/base/random.hpp"
#include "jackal/tbdiscovery/live_probe.hpp"

namespace jackal::distributed_config {
namespace {

// For a set-up that was told to end and undoes what it did.
constexpr std::chrono::seconds kUndoPatience{20};
// No command of ours takes as long, and each tells when it is done: something there hangs.
constexpr std::chrono::seconds kSilence{30};

const Error kInterrupted{ErrorCode::lost, "", "was not asked to the end", ""};

}  // namespace

Nodes::Nodes(const Options& options, const std::vector<std::string>& names)
    : options_(options), tell_progress_(options.verbose || ::isatty(STDERR_FILENO) != 0) {
  const std::string id = to_hex(random_bytes(8));
  for (std::size_t i = 0; i < names.size(); ++i) {
    remote::NodeOptions node;
    node.name = names[i];
    node.id = fmt::format("{}-{}", id, i);
    node.transport = options.ssh;
    if (options.ssh_config) node.ssh_config = *options.ssh_config;
    node.grace = std::chrono::seconds(1);
    remote::Shell::Events events;
    events.on_ready = [this, name = names[i]](const remote::NodeFacts&) {
      if (tell_progress_) fmt::print(stderr, "{}: connected\n", name);
    };
    events.on_notice = [this](const std::string& notice) {
      // One configuration serves many hosts: what it says is said once.
      if (notices_.insert(notice).second) fmt::print(stderr, "distributed-config: {}\n", notice);
    };
    shells_.push_back(std::make_unique<remote::Shell>(loop_, std::move(node), std::move(events)));
  }
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) loop_.on_signal(number, [this] { interrupt(); });
}

Nodes::~Nodes() { finish(); }

void Nodes::interrupt() {
  ++interrupts_;
  const auto abandon = [this] {
    for (const auto& shell : shells_) shell->abandon(kInterrupted);
  };
  if (probing_ || interrupts_ > 1) return abandon();
  for (const auto& shell : shells_) shell->terminate();
  patience_ = loop_.after(kUndoPatience, abandon);
}

tbdiscovery::RawProbes Nodes::probe() {
  std::vector<remote::Shell*> asked;
  for (const auto& shell : shells_) asked.push_back(shell.get());
  tbdiscovery::RawProbes probes;
  probing_ = true;
  const tbdiscovery::LiveProbe probe(loop_, asked, tbdiscovery::kProbePatience,
                                     {[&](const std::string& node, const std::string& text) {
                                        if (tell_progress_) fmt::print(stderr, "{}: {}\n", node, text);
                                      },
                                      [&](tbdiscovery::RawProbes all) {
                                        probes = std::move(all);
                                        loop_.stop();
                                      }});
  loop_.run();
  probing_ = false;
  return probes;
}

remote::Loop::Timer Nodes::end_when_silent(remote::Shell& shell, remote::Loop::Timer& timer) {
  return loop_.after(kSilence, [&] {
    shell.terminate();
    timer = loop_.after(kUndoPatience, [&shell] {
      shell.abandon({ErrorCode::lost, shell.name(), "does not answer any more: a command there hangs",
                     "Log in there and see which command of ours does not end."});
    });
  });
}

Nodes::Answers Nodes::tell(const Scripts& scripts, const OnLine& on_line) {
  Answers answers;
  std::map<std::string, remote::Loop::Timer> silent;
  for (const auto& shell : shells_) {
    const auto script = scripts.find(shell->name());
    if (script == scripts.end()) continue;
    auto& timer = silent[shell->name()];
    timer = end_when_silent(*shell, timer);
    shell->run({script->second,
                [this, &on_line, &timer, &shell](std::string_view line) {
                  timer = end_when_silent(*shell, timer);
                  on_line(shell->name(), line);
                },
                [&, name = shell->name()](Result<remote::Shell::Outcome> outcome) {
                  timer.reset();
                  answers.insert_or_assign(name, std::move(outcome));
                  if (answers.size() == scripts.size()) loop_.stop();
                }});
  }
  if (answers.size() < scripts.size()) loop_.run();
  return answers;
}

void Nodes::wait(std::chrono::milliseconds time) {
  if (interrupted()) return;
  const auto timer = loop_.after(time, [this] { loop_.stop(); });
  loop_.run();
}

void Nodes::finish() {
  if (shells_.empty()) return;
  std::size_t over = 0;
  for (const auto& shell : shells_) {
    shell->finish([&] {
      if (++over == shells_.size()) loop_.stop();
    });
  }
  loop_.run();
  shells_.clear();
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::signal(number, SIG_DFL);
}

}  // namespace jackal::distributed_config
