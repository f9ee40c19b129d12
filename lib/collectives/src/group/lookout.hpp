// What this rank keeps an eye on while an operation waits: its deadline, the control connections to all
// others, messages, and that nobody has ended the group. One per group, used by whoever's turn it is.
#pragma once

#include <array>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "control/mesh.hpp"
#include "group/messages.hpp"
#include "group/status.hpp"
#include "transports/watch.hpp"

namespace jackal::collectives {

class Lookout final : public Watch {
public:
  /// `control` guards what is sent and heard over `mesh`. `attend`, called at every look, takes in what other
  /// threads want: new messages, an abort (by throwing). `queued`: collectives that wait for their turn.
  Lookout(Mesh& mesh, std::mutex& control, Messages& messages, int wake_descriptor,
          std::function<void()> attend, std::function<std::uint32_t()> queued);

  /// The operation under way from now on; end() when it is over. `call` stays valid until then.
  void begin(std::uint64_t number, const Signature& signature, const Call& call,
             std::chrono::milliseconds timeout) {
    number_ = number;
    signatures_[number % signatures_.size()] = signature;
    call_ = &call;
    timeout_ = timeout;
    started_ = false;
  }
  void begin(const std::shared_ptr<Message>& message);
  void end() {
    call_ = nullptr;
    message_.reset();
  }

  void look() override;
  [[noreturn]] void lost(int rank, const std::string& why) override;
  std::span<const int> wake_descriptors() override;

  /// Throws Error mismatch: rank `rank` called `theirs` where this rank is in its own call. The two may be
  /// of different numbers; then an earlier call is the one that differed, and is looked for.
  [[noreturn]] void mismatch(int rank, const Signature& theirs);

  /// The operation under way, for messages; "" when none is.
  std::string text() const;
  /// When the next look is due at the latest, for who sleeps for long.
  Deadline next_look() const;

private:
  struct Seen {
    std::optional<Status> status;
    Deadline told{};  // when it came
    bool left = false;
    std::uint64_t calls = 0;       // begun when it left
    std::optional<Deadline> gone;  // when what it sent before must have come
  };

  Seen& seen(int rank) { return seen_[static_cast<std::size_t>(rank)]; }
  void start(Deadline now);
  void hear_all(Deadline now, bool every);
  void hear(int rank, Deadline now);
  void heard(int rank, const Frame& frame, Deadline now);
  [[noreturn]] void ended(const Error& reason) const;
  void check_gone(Deadline now);
  void check_messages(Deadline now);
  void compare();
  std::optional<Signature> earlier(std::uint64_t number) const;
  [[noreturn]] void differ(int rank, const std::string& mine, const std::string& theirs) const;
  Status status() const;
  void tell(Deadline now);
  void hear_out(Deadline since);
  [[noreturn]] void late(Deadline now);
  [[noreturn]] void gone(int rank, const std::string& text);
  Error error(Code code, const std::string& text, const std::string& what, int rank) const;

  Mesh& mesh_;
  std::mutex& control_;
  Messages& messages_;
  int wake_descriptor_;
  std::function<void()> attend_;
  std::function<std::uint32_t()> queued_;
  std::vector<Seen> seen_;
  std::vector<int> descriptors_;
  std::vector<pollfd> entries_;

  std::uint64_t number_ = 0;                // of the last collective begun
  std::array<Signature, 64> signatures_{};  // of the last ones, by number
  const Call* call_ = nullptr;
  std::shared_ptr<Message> message_;
  std::chrono::milliseconds timeout_{};
  bool started_ = false;  // since_ … tell_at_ are set: only who waits reads the clock
  Deadline since_;
  Deadline deadline_;
  Deadline tell_at_;
  bool dirty_ = false;  // a status has come that is not compared yet
};

}  // namespace jackal::collectives
