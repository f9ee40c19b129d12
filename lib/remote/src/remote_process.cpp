#include "remote_process.hpp"

#include <signal.h>

#include <algorithm>
#include <utility>

namespace jackal::remote {
namespace {

constexpr std::size_t kNoiseKept =
    64 * 1024;  // of what a login shell prints; shown only when the program never began

// What a program wrote last may still be on its way when its end is told.
constexpr auto kLeastGrace = std::chrono::seconds(1);
// Steps against stragglers, a grace each: TERM, KILL, and then waiting for what was written before.
constexpr int kKilled = 2;
constexpr int kMostStragglerSteps = 15;

std::size_t index_of(Stream stream) { return stream == Stream::out ? 0 : 1; }

}  // namespace

RemoteProcess::RemoteProcess(Owner& owner, Loop& loop, std::size_t index, std::string key)
    : owner_(owner), loop_(loop), index_(index), key_(std::move(key)) {
  if (!key_.empty()) return;
  for (Noise& noise : noise_) noise.keys_expected = 0;
}

void RemoteProcess::attach(std::unique_ptr<Channel> channel, void* place) {
  channel_ = std::move(channel);
  place_ = place;
  channel_->set_reading(reading_);
  start_if_possible();
}

RemoteProcess::Detached RemoteProcess::detach() {
  if (std::exchange(started_, false)) early_input_ = channel_->take_unsent();
  return {std::move(channel_), std::exchange(place_, nullptr)};
}

void RemoteProcess::prepare(std::vector<std::string> words, std::optional<TerminalSize> terminal,
                            ProcessEvents* events) {
  words_ = std::move(words);
  terminal_ = terminal;
  events_ = events;
  if (terminal_ && !key_.empty()) {
    // Both keys come over the one stream of a terminal.
    noise_[index_of(Stream::out)].keys_expected = 2;
    noise_[index_of(Stream::err)].keys_expected = 0;
  }
}

void RemoteProcess::go() {
  going_ = true;
  start_if_possible();
}

void RemoteProcess::start_if_possible() {
  if (!channel_ || !going_ || started_) return;
  started_ = true;
  channel_->exec(words_, terminal_);
  if (!early_input_.empty()) channel_->write(std::exchange(early_input_, {}));
  if (input_closed_) channel_->close_input();
}

void RemoteProcess::silence() {
  events_ = nullptr;
  straggler_timer_.reset();
}

void RemoteProcess::write(std::string_view bytes) {
  if (started_) {
    channel_->write(bytes);
  } else {
    early_input_.append(bytes);
  }
}

void RemoteProcess::close_input() {
  input_closed_ = true;
  if (started_) channel_->close_input();
}

void RemoteProcess::set_reading(bool reading) {
  reading_ = reading;
  if (!reading) straggler_step_ = std::min(straggler_step_, kKilled);
  if (channel_) channel_->set_reading(reading);
}

void RemoteProcess::resize(TerminalSize size) {
  if (terminal_) terminal_ = size;
  if (channel_ && started_) channel_->resize(size);
}

void RemoteProcess::on_output(Stream stream, std::string_view bytes) {
  heard_ = true;
  owner_.node_heard();
  Noise& noise = noise_[index_of(stream)];
  if (noise.keys_expected == 0) return deliver(stream, bytes);
  noise.bytes.append(bytes);
  while (noise.keys_expected > 0) {
    const std::size_t key = noise.bytes.find(key_);
    if (key == std::string::npos) {
      if (noise.bytes.size() > kNoiseKept) noise.bytes.erase(0, noise.bytes.size() - kNoiseKept / 2);
      return;
    }
    noise.bytes.erase(0, key + key_.size());
    --noise.keys_expected;
  }
  const std::string rest = std::exchange(noise.bytes, {});
  if (!rest.empty()) deliver(stream, rest);
}

void RemoteProcess::deliver(Stream stream, std::string_view bytes) {
  if (events_ != nullptr) events_->on_output(stream, bytes);
}

void RemoteProcess::on_input_drained() {
  if (events_ != nullptr) events_->on_input_drained();
}

void RemoteProcess::on_exit(ExitStatus status) {
  exited_ = true;
  if (streams_ended_) {
    deliver_noise();
    owner_.process_ended(index_);
  } else {
    watch_stragglers();
  }
  if (events_ != nullptr) events_->on_exit(status);
}

void RemoteProcess::on_streams_ended() {
  if (std::exchange(streams_ended_, true)) return;
  straggler_timer_.reset();
  if (exited_) {
    deliver_noise();
    owner_.process_ended(index_);
  }
  if (events_ != nullptr) events_->on_streams_ended();
}

// The program never began: what came instead explains why.
void RemoteProcess::deliver_noise() {
  for (const Stream stream : {Stream::out, Stream::err}) {
    Noise& noise = noise_[index_of(stream)];
    if (noise.keys_expected == 0) continue;
    noise.keys_expected = 0;
    const std::string bytes = std::exchange(noise.bytes, {});
    if (!bytes.empty()) deliver(Stream::err, bytes);
  }
}

void RemoteProcess::watch_stragglers() {
  heard_ = false;
  straggler_timer_ = loop_.after(std::max(owner_.grace(), kLeastGrace), [this] { end_stragglers(); });
}

// Nobody hangs on to streams that we do not read, and what still comes in is not given up, unless it never
// ends.
void RemoteProcess::end_stragglers() {
  if (!reading_) return watch_stragglers();
  // They left the group: not ours to wait for.
  if (straggler_step_ >= kKilled && (!heard_ || straggler_step_ >= kMostStragglerSteps))
    return on_streams_ended();
  if (straggler_step_ < kKilled) owner_.signal_process(index_, straggler_step_ == 0 ? SIGTERM : SIGKILL);
  ++straggler_step_;
  watch_stragglers();
}

}  // namespace jackal::remote
