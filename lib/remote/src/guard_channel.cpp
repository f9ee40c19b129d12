#include "guard_channel.hpp"

#include <utility>

namespace jackal::remote {
namespace {

// What a login shell may print before our first line; more is not a login.
constexpr std::size_t kMostNoise = 1024 * 1024;

void keep_end(std::string& text, std::string_view bytes) {
  constexpr std::size_t kKept = 2048;
  text.append(bytes);
  if (text.size() > kKept) text.erase(0, text.size() - kKept);
}

}  // namespace

void GuardChannel::open(Connection& connection, const std::string& script) {
  exit_.reset();
  streams_ended_ = false;
  channel_ = connection.open(*this);
  channel_->exec({"/bin/sh", "-s"}, std::nullopt);
  channel_->write(script);
}

void GuardChannel::on_output(Stream stream, std::string_view bytes) {
  owner_.node_heard();
  if (stream == Stream::err) return keep_end(err_noise_, bytes);
  line_.append(bytes);
  for (std::size_t end = line_.find('\n'); end != std::string::npos; end = line_.find('\n')) {
    const std::string line = line_.substr(0, end);
    line_.erase(0, end + 1);
    take_line(line);
  }
  if (line_.size() > kMostNoise) line_.erase(0, line_.size() - 4096);
}

void GuardChannel::take_line(const std::string& line) {
  const std::size_t key = line.find(key_ + " ");
  if (key != std::string::npos) {
    const std::string_view message = std::string_view(line).substr(key + key_.size() + 1);
    listing_ = message == "listeners";
    owner_.guard_says(message);
  } else if (listing_) {
    owner_.guard_lists(line);
  } else {
    keep_end(out_noise_, line + "\n");
  }
}

std::string GuardChannel::complaints() const {
  std::string text = out_noise_;
  keep_end(text, line_);
  if (!text.empty() && text.back() != '\n') text += '\n';
  text += err_noise_;
  text.erase(text.find_last_not_of(" \r\n") + 1);
  return text;
}

void GuardChannel::on_exit(ExitStatus status) {
  exit_ = status;
  settle();
}

void GuardChannel::on_streams_ended() {
  streams_ended_ = true;
  settle();
}

void GuardChannel::settle() {
  if (!exit_ || (!owner_.begun() && !streams_ended_)) return;
  owner_.guard_exited(*std::exchange(exit_, std::nullopt));
}

}  // namespace jackal::remote
