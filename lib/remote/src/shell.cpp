#include "jackal/remote/shell.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <utility>

#include "jackal/base/random.hpp"
#include "jackal/base/text.hpp"

namespace jackal::remote {
namespace {

constexpr std::size_t kMostOutput = 64U << 20;  // of one script
constexpr std::size_t kMostLine = 64U << 10;
constexpr std::chrono::seconds kLeaves{2};

}  // namespace

Shell::Shell(Loop& loop, NodeOptions options, Events events)
    : loop_(loop), events_(std::move(events)), name_(options.name), key_(to_hex(random_bytes(16))) {
  node_ = Node::connect(loop, std::move(options),
                        {[this](const NodeFacts& facts) {
                           begin();
                           events_.on_ready(facts);
                           next();
                         },
                         [this](const Error& error) { abandon(error); },
                         [this](std::string notice) { events_.on_notice(std::move(notice)); }});
}

Shell::~Shell() = default;

void Shell::begin() {
  Command command;
  command.argv = {"/bin/sh", "-s"};
  command.files = {{"place", "JACKAL_PLACE", ""}};
  process_ = node_->start({{std::move(command), this, std::nullopt}}).front();
  // It outlives what terminate() ends.
  process_->write("trap : TERM\n");
}

void Shell::run(Run run) {
  runs_.push_back(std::move(run));
  if (failure_) {
    // Never from within the call that asked.
    soon_ = loop_.after(Clock::duration::zero(), [this] { abandon(*failure_); });
    return;
  }
  next();
}

void Shell::next() {
  if (process_ == nullptr || running_ || runs_.empty()) return;
  running_ = true;
  out_.clear();
  err_.clear();
  err_ended_ = false;
  process_->write(
      fmt::format("(\n{0}\n) </dev/null\nprintf '\\n%s %d\\n' {1} \"$?\"; printf '\\n%s\\n' {1} >&2\n",
                  runs_.front().script, key_));
}

void Shell::terminate() {
  if (process_ != nullptr && running_) process_->signal(SIGTERM);
}

void Shell::abandon(const Error& error) {
  if (!failure_) failure_ = error;
  running_ = false;
  const auto runs = std::exchange(runs_, {});
  for (const auto& run : runs) run.on_end(fail(*failure_));
}

void Shell::finish(std::function<void()> done) {
  finished_ = std::move(done);
  if (process_ == nullptr || failure_) return finish_node();
  terminate();
  process_->close_input();
  // A shell that reads the end of its input is gone before anybody has to be killed.
  soon_ = loop_.after(kLeaves, [this] { finish_node(); });
}

void Shell::finish_node() {
  soon_.reset();
  node_->finish([this](const Node::Finished&) { finished_(); });
}

void Shell::on_output(Stream stream, std::string_view bytes) {
  if (!running_) return;
  std::string& text = stream == Stream::out ? out_ : err_;
  text.append(bytes);
  if (stream == Stream::err) {
    for (auto newline = err_.find('\n'); newline != std::string::npos; newline = err_.find('\n')) {
      const std::string line = err_.substr(0, newline);
      err_.erase(0, newline + 1);
      if (line == key_) {
        err_ended_ = true;
      } else if (!line.empty()) {
        runs_.front().on_line(line);
        if (!running_) return;
      }
    }
  }
  if (text.size() > (stream == Stream::out ? kMostOutput : kMostLine)) {
    return abandon({ErrorCode::bad_input, name_, "its commands print more than any machine would", ""});
  }
  check_end();
}

void Shell::check_end() {
  if (!err_ended_ || out_.empty() || out_.back() != '\n') return;
  const auto mark = out_.rfind("\n" + key_ + " ");
  if (mark == std::string::npos) return;
  const auto number = mark + key_.size() + 2;
  const auto code = parse_integer<int>(std::string_view(out_).substr(number, out_.size() - number - 1));
  out_.erase(mark);
  end(Outcome{code.value_or(-1), std::move(out_)});
}

void Shell::end(Result<Outcome> outcome) {
  running_ = false;
  const Run ended = std::move(runs_.front());
  runs_.pop_front();
  ended.on_end(std::move(outcome));
  next();
}

void Shell::on_exit(ExitStatus status) {
  process_ = nullptr;
  if (finished_) return finish_node();
  abandon({ErrorCode::lost, name_,
           fmt::format("its shell ended by {} {}", status.signalled ? "signal" : "code", status.number), ""});
}

}  // namespace jackal::remote
