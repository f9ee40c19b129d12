#include "launch/rank_run.hpp"

namespace jackal::launch {
namespace {

constexpr std::size_t kTailBytes = 4096;

}  // namespace

void RankRun::on_output(remote::Stream stream, std::string_view bytes) {
  if (stream == remote::Stream::err) {
    stderr_tail.append(bytes);
    if (stderr_tail.size() > 2 * kTailBytes) stderr_tail.erase(0, stderr_tail.size() - kTailBytes);
  }
  events_.on_output(*this, stream, bytes);
}

void RankRun::on_exit(remote::ExitStatus with) {
  exited = true;
  status = with;
  events_.on_exit(*this);
  check_over();
}

void RankRun::on_streams_ended() {
  streams_ended_ = true;
  check_over();
}

void RankRun::check_over() {
  if (over || !exited || !streams_ended_) return;
  over = true;
  events_.on_over(*this);
}

}  // namespace jackal::launch
