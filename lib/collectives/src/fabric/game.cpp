#include "fabric/game.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

namespace jackal::collectives {
namespace {

// Enough for a median that scheduling does not spoil; ended early on slow links.
constexpr int kPings = 24;
constexpr std::int64_t kPingsNs = 8'000'000;

// Loads grow until one takes so long that starting it does not count, or there is no more room.
constexpr std::int64_t kFirstLoad = 64 << 10;
constexpr std::int64_t kLastLoad = 4 << 20;
constexpr std::int64_t kLoadGrowth = 4;
constexpr std::int64_t kLongEnoughNs = 3'000'000;
constexpr std::size_t kBlock = 64 << 10;  // memory that loads are sent from and read into

// Waits yield the core at once: all pairs play at the same time, and where the cores are shared in a way that
// nobody knows of (containers, virtual machines, other programs), one that spins would measure for how long
// it keeps the core from the other. With a core of its own a yield returns at once.
constexpr Crowding kYielding{2, 1};

// How long a wait sleeps before it looks around.
constexpr int kSleepMs = 5;

enum class Kind : std::uint64_t { ping = 1, load, taken, over };

struct Note {
  Kind kind{};
  std::uint64_t bytes = 0;  // of a load
};
constexpr std::size_t kNoteSize = 16;

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
}

class Player {
public:
  Player(int peer, const std::vector<Channel*>& lanes, Watch& watch)
      : peer_(peer), lanes_(lanes), watch_(watch), pacer_(watch, kYielding), block_(kBlock) {}

  Score lead() {
    Score score;
    ping(score);
    load(score);
    say({Kind::over, 0});
    answer(score);
    return score;
  }

  Score follow() {
    Score score;
    answer(score);
    load(score);
    say({Kind::over, 0});
    return score;
  }

private:
  // The first goes before the other may have come; it does not count.
  void ping(Score& score) {
    std::vector<std::int64_t> round_trips;
    std::int64_t begin = 0;
    for (int i = 0; i <= kPings; ++i) {
      const std::int64_t start = now_ns();
      say({Kind::ping, 0});
      expect(Kind::ping);
      if (i == 0)
        begin = now_ns();
      else
        round_trips.push_back(now_ns() - start);
      if (i > 2 && now_ns() - begin > kPingsNs) break;
    }
    score.round_trip_ns = median(round_trips);
    score.write_ns = median(writes_);
  }

  void load(Score& score) {
    for (std::int64_t bytes = kFirstLoad; bytes <= kLastLoad; bytes *= kLoadGrowth) {
      writing_ns_ = 0;
      const std::int64_t start = now_ns();
      say({Kind::load, static_cast<std::uint64_t>(bytes)});
      carry(bytes, true);
      expect(Kind::taken);
      const std::int64_t time = now_ns() - start;
      const std::int64_t moving = std::max({std::int64_t{1}, time / 2, time - score.round_trip_ns});
      score.bytes_per_ms = bytes * 1'000'000 / moving;
      score.busy_bytes_per_ms = bytes * 1'000'000 / std::max<std::int64_t>(1, writing_ns_);
      if (time >= kLongEnoughNs) break;
    }
  }

  // Does what the other asks until it has enough.
  void answer(Score& score) {
    for (;;) {
      const Note note = hear();
      if (note.kind == Kind::over) break;
      if (note.kind == Kind::ping) {
        say(note);
      } else if (note.kind == Kind::load && note.bytes <= static_cast<std::uint64_t>(kLastLoad)) {
        carry(static_cast<std::int64_t>(note.bytes), false);
        say({Kind::taken, 0});
      } else {
        watch_.lost(peer_, "it does not measure links as this rank does");
      }
    }
    if (score.write_ns == 0) score.write_ns = median(writes_);
  }

  void say(const Note& note) {
    std::array<std::byte, kNoteSize> bytes{};
    std::memcpy(bytes.data(), &note.kind, sizeof note.kind);
    std::memcpy(bytes.data() + sizeof note.kind, &note.bytes, sizeof note.bytes);
    const std::int64_t start = now_ns();
    for (std::size_t sent = 0; sent < kNoteSize;) {
      const std::size_t now = write(*lanes_.front(), bytes.data() + sent, kNoteSize - sent);
      sent += now;
      if (now == 0) wait(true);
    }
    writes_.push_back(now_ns() - start);
    pacer_.reset();
  }

  Note hear() {
    std::array<std::byte, kNoteSize> bytes{};
    for (std::size_t come = 0; come < kNoteSize;) {
      const std::size_t now = read(*lanes_.front(), bytes.data() + come, kNoteSize - come);
      come += now;
      if (now == 0) wait(false);
    }
    pacer_.reset();
    Note note;
    std::memcpy(&note.kind, bytes.data(), sizeof note.kind);
    std::memcpy(&note.bytes, bytes.data() + sizeof note.kind, sizeof note.bytes);
    return note;
  }

  void expect(Kind kind) {
    if (hear().kind != kind) watch_.lost(peer_, "it does not measure links as this rank does");
  }

  // A load, in equal shares over the lanes.
  void carry(std::int64_t bytes, bool sending) {
    std::vector<std::size_t> left(lanes_.size(), static_cast<std::size_t>(bytes) / lanes_.size());
    const auto nothing = [](std::size_t share) { return share == 0; };
    while (!std::all_of(left.begin(), left.end(), nothing)) {
      std::size_t moved = 0;
      for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
        if (left[lane] == 0) continue;
        const std::size_t most = std::min(left[lane], kBlock);
        const std::int64_t start = now_ns();
        const std::size_t now =
            sending ? write(*lanes_[lane], block_.data(), most) : read(*lanes_[lane], block_.data(), most);
        if (now > 0) writing_ns_ += now_ns() - start;
        left[lane] -= now;
        moved += now;
      }
      if (moved == 0)
        wait(sending);
      else
        pacer_.reset();
    }
  }

  std::size_t write(Channel& channel, std::byte* bytes, std::size_t size) {
    const iovec piece{bytes, size};
    return moved([&] { return channel.write({&piece, 1}); });
  }
  std::size_t read(Channel& channel, std::byte* bytes, std::size_t size) {
    return moved([&] { return channel.read(bytes, size); });
  }
  template <class Move>
  std::size_t moved(const Move& move) {
    std::size_t bytes = 0;
    try {
      bytes = move();
    } catch (const Broken& broken) {
      watch_.lost(peer_, broken.what());
    }
    return bytes;
  }

  void wait(bool sending) {
    std::vector<pollfd> polled;
    for (const Channel* lane : lanes_) {
      const Channel::Interest interest = lane->interest();
      if (interest.descriptor < 0) return pacer_.pause();
      polled.push_back({interest.descriptor, sending ? interest.write_events : interest.read_events, 0});
    }
    if (!pacer_.weary()) return pacer_.pause();
    for (const int descriptor : watch_.wake_descriptors()) polled.push_back({descriptor, POLLIN, 0});
    poll(polled.data(), polled.size(), kSleepMs);
    pacer_.look();
  }

  static std::int64_t median(std::vector<std::int64_t>& values) {
    if (values.empty()) return 0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
  }

  int peer_;
  const std::vector<Channel*>& lanes_;
  Watch& watch_;
  Pacer pacer_;
  std::vector<std::byte> block_;
  std::vector<std::int64_t> writes_;  // how long each took
  std::int64_t writing_ns_ = 0;
};

}  // namespace

Score play(int peer, const std::vector<Channel*>& lanes, bool leads, Watch& watch) {
  Player player(peer, lanes, watch);
  return leads ? player.lead() : player.follow();
}

}  // namespace jackal::collectives
