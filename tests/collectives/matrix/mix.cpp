#include "collectives/matrix/mix.hpp"

#include <algorithm>
#include <memory>
#include <random>

#include "collectives/matrix/jobs.hpp"

namespace matrix {
namespace {

using jackal::Group;
using jackal::Handle;
using Random = std::mt19937_64;

// In an order of this rank's own.
template <class T>
void shuffle(std::vector<T>& things, std::uint64_t seed) {
  Random random(seed);
  for (std::size_t i = things.size(); i > 1; --i) std::swap(things[i - 1], things[random() % i]);
}

class Mixer {
public:
  Mixer(Group& group, const Mixture& mixture, Diary& diary)
      : group_(group), mixture_(mixture), diary_(diary), random_(mixture.seed), names_(group) {}

  void step(int number) {
    switch (random_() % 12) {
      case 0:
      case 1:
      case 2:
      case 3:
        return one(number);
      case 4:
      case 5:
      case 6:
        return several(number, 0);
      case 7:
        return several(number, 1 + random_() % 6);
      case 8:
      case 9:
        return messages(number);
      case 10:
        return within(number);
      default:
        return crossing(number);
    }
  }

private:
  std::string title(int number, const std::string& what) const {
    return "step " + std::to_string(number) + ", " + what;
  }

  std::string name_for(const Case& one) {
    return one.algorithm == 0 ? "" : algorithm_of(one, names_.of(one.operation));
  }

  void one(int number) {
    const Case call = any(random_(), mixture_.most_bytes);
    const std::string name = name_for(call);
    diary_.begin(title(number, call.text() + " " + name));
    Verdict verdict = played(group_, call, name);
    if (!replicates(call.operation)) verdict.digest = 0;
    diary_.done(verdict);
  }

  // Several in flight, with messages among them, waited for or asked after in any order.
  void several(int number, std::uint64_t messages) {
    const std::uint64_t count = 2 + random_() % 5;
    std::vector<std::unique_ptr<Play>> plays;
    std::string what = "in flight:";
    for (std::uint64_t i = 0; i < count; ++i) {
      Case call = any(random_(), mixture_.most_bytes / 4);
      call.async = true;
      const std::string name = name_for(call);
      what += " [" + call.text() + " " + name + "]";
      plays.push_back(std::make_unique<Play>(group_, call, name));
    }
    diary_.begin(title(number, what));
    Posted posted(*this, messages);
    for (const auto& play : plays) play->start();
    posted.send();
    std::vector<Play*> order;
    for (const auto& play : plays) order.push_back(play.get());
    shuffle(order, mixed(random_(), static_cast<std::uint64_t>(group_.rank())));
    for (Play* play : order) {
      if (random_() % 2 == 0)
        while (!play->test()) continue;
      play->wait();
    }
    std::string problem = posted.finish();
    for (const auto& play : plays) {
      const Verdict verdict = play->judge();
      if (problem.empty()) problem = verdict.problem;
    }
    diary_.done({0, problem});
  }

  // Messages between ranks drawn at random: who receives posts first, in the order of the sends.
  class Posted {
  public:
    Posted(Mixer& mixer, std::uint64_t count) : group_(mixer.group_) {
      const auto ranks = static_cast<std::uint64_t>(group_.size());
      for (std::uint64_t i = 0; i < count; ++i) {
        Message one;
        one.from = static_cast<int>(mixer.random_() % ranks);
        one.to = static_cast<int>(mixer.random_() % ranks);
        one.tag = static_cast<int>(mixer.random_() % 3);
        const Case like = any(mixer.random_(), mixer.mixture_.most_bytes / 2);
        one.pattern = like.pattern;
        one.count = like.count;
        messages_.push_back(one);
      }
      received_.resize(messages_.size());
      for (std::size_t i = 0; i < messages_.size(); ++i) {
        const Message& one = messages_[i];
        if (one.to != group_.rank()) continue;
        received_[i].resize(one.count * size_of(one.pattern.dtype));
        handles_.push_back(
            group_.recv_async(received_[i].data(), one.count, one.pattern.dtype, one.from, one.tag));
      }
    }

    void send() {
      for (const Message& one : messages_) {
        if (one.from != group_.rank()) continue;
        sent_.push_back(elements(one.pattern, one.from, 0, one.count));
        const Bytes& bytes = sent_.back();
        handles_.push_back(group_.send_async(bytes.data(), one.count, one.pattern.dtype, one.to, one.tag));
      }
    }

    std::string finish() {
      shuffle(handles_, static_cast<std::uint64_t>(group_.rank()) + messages_.size());
      Handle::wait_all(handles_);
      for (std::size_t i = 0; i < messages_.size(); ++i) {
        const Message& one = messages_[i];
        if (one.to == group_.rank() && received_[i] != elements(one.pattern, one.from, 0, one.count))
          return "message " + std::to_string(i) + " of rank " + std::to_string(one.from) + " is wrong";
      }
      return "";
    }

  private:
    struct Message {
      int from = 0;
      int to = 0;
      int tag = 0;
      Pattern pattern;
      std::size_t count = 0;
    };
    Group& group_;
    std::vector<Message> messages_;
    std::vector<Bytes> received_;
    std::vector<Bytes> sent_;  // moved when it grows, its buffers are not
    std::vector<Handle> handles_;
  };

  void messages(int number) {
    const std::uint64_t count = 1 + random_() % 12;
    diary_.begin(title(number, std::to_string(count) + " messages"));
    Posted posted(*this, count);
    posted.send();
    diary_.done({0, posted.finish()});
  }

  // A group within the group works while this one has something in flight.
  void within(int number) {
    const auto ranks = static_cast<std::uint64_t>(group_.size());
    std::vector<int> colors;
    std::vector<int> keys;
    for (std::uint64_t rank = 0; rank < ranks; ++rank) {
      const int before = colors.empty() ? 0 : colors.back();
      const int drawn = static_cast<int>(random_() % 3);
      colors.push_back(mixture_.neighbours ? before + drawn / 2 : drawn);
      keys.push_back(static_cast<int>(random_() % 4));
    }
    const auto me = static_cast<std::size_t>(group_.rank());
    Case outer = any(random_(), mixture_.most_bytes / 4);
    outer.async = true;
    const std::uint64_t calls = 1 + random_() % 3;
    std::vector<Case> inner;
    for (std::uint64_t i = 0; i < calls; ++i) inner.push_back(any(random_(), mixture_.most_bytes / 4));
    std::string what = "a group of some beside [" + outer.text() + "]:";
    for (const Case& one : inner) what += " [" + one.text() + "]";
    diary_.begin(title(number, what));

    Group part = group_.split(colors[me], keys[me]);
    std::string problem = order_problem(part, colors, keys);
    Play beside(group_, outer, "");
    beside.start();
    for (const Case& one : inner) {
      const Verdict verdict = played(part, one, "");
      if (problem.empty()) problem = verdict.problem;
    }
    // Who leaves passes no messages of others on any more.
    part.barrier();
    beside.wait();
    const Verdict verdict = beside.judge();
    diary_.done({0, problem.empty() ? verdict.problem : problem});
  }

  // The ranks of one color, by key, then by rank.
  std::string order_problem(const Group& part, const std::vector<int>& colors,
                            const std::vector<int>& keys) const {
    const auto me = static_cast<std::size_t>(group_.rank());
    int size = 0;
    int rank = 0;
    for (std::size_t other = 0; other < colors.size(); ++other) {
      if (colors[other] != colors[me]) continue;
      ++size;
      if (keys[other] < keys[me] || (keys[other] == keys[me] && other < me)) ++rank;
    }
    if (part.size() == size && part.rank() == rank) return "";
    return "is rank " + std::to_string(part.rank()) + " of " + std::to_string(part.size()) + " instead of " +
           std::to_string(rank) + " of " + std::to_string(size);
  }

  // A blocking call while messages are under way that only later calls wait for.
  void crossing(int number) {
    const Case call = any(random_(), mixture_.most_bytes / 4);
    diary_.begin(title(number, "messages around " + call.text()));
    Posted posted(*this, 1 + random_() % 6);
    posted.send();
    const Verdict verdict = played(group_, call, "");
    const std::string problem = posted.finish();
    diary_.done(
        {replicates(call.operation) ? verdict.digest : 0, problem.empty() ? verdict.problem : problem});
  }

  Group& group_;
  const Mixture& mixture_;
  Diary& diary_;
  Random random_;
  Names names_;
};

}  // namespace

void mix(Group& group, const Mixture& mixture, Diary& diary) {
  Mixer mixer(group, mixture, diary);
  for (int number = 0; number < mixture.steps; ++number) mixer.step(number);
  group.barrier();
}

}  // namespace matrix
