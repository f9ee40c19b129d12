#include "launch/run_job.hpp"

#include <signal.h>
#include <unistd.h>

#include <memory>

#include "jackal/base/exit_code.hpp"
#include "launch/runner.hpp"

namespace jackal::launch {
namespace {

bool is_ignored(int number) {
  struct sigaction now {};
  return ::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

}  // namespace

int run_job(const Options& options, const Layout& layout) {
  remote::Loop loop;
  Runner* runner = nullptr;  // the one at work
  const auto when_running = [&runner](auto action) {
    return [&runner, action] {
      if (runner != nullptr) action(*runner);
    };
  };
  Streams streams(loop, {[&runner](int number) {
                           if (runner != nullptr) runner->on_output_failed(number);
                         },
                         when_running([](Runner& now) { now.on_output_drained(); })});
  streams.start_input = [&] {
    streams.input = std::make_unique<Input>(loop, STDIN_FILENO,
                                            Input::Events{[&](const std::string& bytes) {
                                                            streams.keep_input(bytes);
                                                            if (runner != nullptr) runner->on_input(bytes);
                                                          },
                                                          [&] {
                                                            streams.input_ended = true;
                                                            if (runner != nullptr) runner->on_input_end();
                                                          }});
  };
  ::signal(SIGTSTP, SIG_IGN);  // who sleeps sends no heartbeats, and the hosts would end the job
  loop.on_signal(SIGINT, when_running([](Runner& now) { now.on_interrupt(); }));
  loop.on_signal(SIGTERM, when_running([](Runner& now) { now.on_terminate(); }));
  const bool hangups_ignored = is_ignored(SIGHUP);  // nohup
  if (!hangups_ignored) loop.on_signal(SIGHUP, when_running([](Runner& now) { now.on_terminate(); }));
  loop.on_signal(SIGWINCH, when_running([](Runner& now) { now.on_resize(); }));
  for (const int number : {SIGQUIT, SIGUSR1, SIGUSR2}) {
    loop.on_signal(number, when_running([number](Runner& now) { now.forward(number); }));
  }

  Runner::Result result;
  for (bool again = false;; again = true) {
    Runner current(loop, streams, options, layout);
    runner = &current;
    result = current.run();
    runner = nullptr;
    if (again || !result.coordinator_taken || !streams.replay_is_whole()) break;
    streams.say("launch: somebody took the coordinator's port meanwhile; starting once more on another");
  }
  // From here on there is nothing left to stop but our own writing.
  for (const int number : {SIGINT, SIGTERM}) ::signal(number, SIG_DFL);
  if (!hangups_ignored) ::signal(SIGHUP, SIG_DFL);
  const int unwritten = streams.flush();
  // The last bytes may fail when the job has already succeeded.
  if (unwritten != 0 && result.outcome.exit_code == kExitOk) result.outcome = decide(output_error(unwritten));
  for (const std::string& line : result.outcome.lines) streams.say(line);
  streams.flush();
  // Who is still on the way to a host cannot be waited for, and must not see the statics of libraries go.
  if (loop.has_posters()) ::_exit(result.outcome.exit_code);
  return result.outcome.exit_code;
}

}  // namespace jackal::launch
