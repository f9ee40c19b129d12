// Exercises RDMA connections alone, without a group over them: one process a rank, in the environment that
// launch or tests/rdma-vm/run gives it.
//
//   verbs_talk check [--most BYTES] [--rounds N]   every rank and its neighbours send each other known bytes
//   verbs_talk latency --bytes N [--iterations N]  ranks 0 and 1: the time of a round trip
//
// --meet DIR: a folder that all ranks see and that is empty. --patience SECONDS: how long nothing may come.
// Exits 0 when every byte was right, 1 with a reason otherwise.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <sstream>
#include <thread>

#include "env/environment.hpp"
#include "transports/verbs/domain.hpp"

namespace {

using namespace jackal::collectives;
using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

struct Options {
  std::string mode;
  std::filesystem::path meet = "/tmp/verbs_talk";
  std::size_t most_bytes = 16u << 20;
  std::size_t bytes = 64;
  int rounds = 1;
  int iterations = 100;
  std::chrono::seconds patience{20};
};

Options read_options(int argc, char** argv) {
  Options options;
  std::map<std::string, std::string> given;
  if (argc > 1) options.mode = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) given[argv[i]] = argv[i + 1];
  const auto number = [&given](const std::string& name, auto& to) {
    if (given.count(name) != 0) to = static_cast<std::decay_t<decltype(to)>>(std::stoll(given[name]));
    given.erase(name);
  };
  long long seconds = options.patience.count();
  number("--most", options.most_bytes);
  number("--bytes", options.bytes);
  number("--rounds", options.rounds);
  number("--iterations", options.iterations);
  number("--patience", seconds);
  options.patience = std::chrono::seconds(seconds);
  if (given.count("--meet") != 0) options.meet = given["--meet"];
  given.erase("--meet");
  if (!given.empty() || (options.mode != "check" && options.mode != "latency"))
    throw std::runtime_error("usage: verbs_talk check|latency [--NAME VALUE …]");
  return options;
}

// Ranks meet in files, which all of them see: what is tested here needs no control plane.
class Meeting {
public:
  Meeting(std::filesystem::path folder, int rank, int size)
      : folder_(std::move(folder)), rank_(rank), size_(size) {
    std::filesystem::create_directories(folder_);
  }

  std::vector<std::string> share(const std::string& mine) {
    const std::string round = std::to_string(round_++) + ".";
    const auto own = folder_ / (round + std::to_string(rank_));
    const auto draft = folder_ / (round + std::to_string(rank_) + ".draft");
    std::ofstream(draft, std::ios::binary) << mine;
    std::filesystem::rename(draft, own);
    std::vector<std::string> all;
    const Deadline deadline = Clock::now() + 60s;
    for (int rank = 0; rank < size_; ++rank) {
      const auto path = folder_ / (round + std::to_string(rank));
      while (!std::filesystem::exists(path)) {
        if (Clock::now() > deadline)
          throw std::runtime_error("rank " + std::to_string(rank) + " did not come to the meeting");
        std::this_thread::sleep_for(1ms);
      }
      std::ostringstream bytes;
      bytes << std::ifstream(path, std::ios::binary).rdbuf();
      all.push_back(bytes.str());
    }
    return all;
  }

private:
  std::filesystem::path folder_;
  int rank_;
  int size_;
  int round_ = 0;
};

std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
  value = (value ^ value >> 27) * 0x94d049bb133111ebu;
  return value ^ value >> 31;
}

// What `from` says to `to`, any number of bytes from any place on: never the same twice.
class Text {
public:
  Text(int from, int to, std::size_t channel)
      : seed_(mixed(static_cast<std::uint64_t>(from) * 1000003 + static_cast<std::uint64_t>(to) * 1009 +
                    channel)) {}

  void write(std::byte* to, std::size_t size) {
    for (std::size_t done = 0; done < size;) {
      const std::uint64_t word = mixed(seed_ + place_ / 8);
      const std::size_t skip = place_ % 8;
      const std::size_t part = std::min(8 - skip, size - done);
      std::memcpy(to + done, reinterpret_cast<const char*>(&word) + skip, part);
      done += part;
      place_ += part;
    }
  }

private:
  std::uint64_t seed_;
  std::uint64_t place_ = 0;
};

// One channel of this rank, both ways.
struct Line {
  Channel* channel;
  int peer;
  Text out, in;
  std::vector<std::byte> sending, expected;
  std::size_t sent = 0, heard = 0;

  void begin(std::size_t bytes) {
    sending.resize(bytes);
    expected.resize(bytes);
    out.write(sending.data(), bytes);
    in.write(expected.data(), bytes);
    sent = heard = 0;
  }
  bool done() const { return sent == sending.size() && heard == expected.size(); }

  /// Whether anything moved.
  bool advance(bool by_peek) {
    const std::size_t before = sent + heard;
    if (sent < sending.size()) {
      const std::size_t head = std::min<std::size_t>(sending.size() - sent, 13);
      const iovec pieces[] = {{sending.data() + sent, head},
                              {sending.data() + sent + head, sending.size() - sent - head}};
      sent += channel->write(pieces);
    }
    if (heard < expected.size()) by_peek ? peek() : read();
    return sent + heard != before;
  }

private:
  void peek() {
    const auto come = channel->peek(expected.size() - heard);
    compare(come);
    channel->consume(come.size());
  }
  void read() {
    std::byte bytes[8192];
    const std::size_t got = channel->read(bytes, std::min(sizeof bytes, expected.size() - heard));
    compare({bytes, got});
  }
  void compare(std::span<const std::byte> come) {
    if (std::memcmp(come.data(), expected.data() + heard, come.size()) != 0)
      throw std::runtime_error("wrong bytes from rank " + std::to_string(peer) + " over " + channel->name() +
                               ", within " + std::to_string(come.size()) + " from " + std::to_string(heard) +
                               " on");
    heard += come.size();
  }
};

void exchange(std::vector<Line>& lines, std::size_t bytes, const Options& options) {
  for (Line& line : lines) line.begin(bytes);
  Clock::time_point moved = Clock::now();
  for (bool by_peek = false;; by_peek = !by_peek) {
    bool all_done = true;
    bool any_moved = false;
    for (Line& line : lines) {
      if (!line.done()) any_moved = line.advance(by_peek) || any_moved;
      all_done = all_done && line.done();
    }
    if (all_done) return;
    const Clock::time_point now = Clock::now();
    if (any_moved) moved = now;
    if (now - moved < options.patience) continue;
    std::string stuck;
    for (const Line& line : lines)
      if (!line.done())
        stuck += " " + line.channel->name() + " (sent " + std::to_string(line.sent) + ", heard " +
                 std::to_string(line.heard) + " of " + std::to_string(bytes) + ")";
    throw std::runtime_error("nothing moves any more:" + stuck);
  }
}

void check(const VerbsDomain& domain, int rank, int size, const Options& options) {
  std::vector<Line> lines;
  for (int peer = 0; peer < size; ++peer) {
    if (peer == rank) continue;
    std::vector<Channel*> channels = domain.cables(peer);
    if (Channel* messages = domain.messages(peer); messages != nullptr) channels.push_back(messages);
    for (std::size_t i = 0; i < channels.size(); ++i)
      lines.push_back({channels[i], peer, Text(rank, peer, i), Text(peer, rank, i), {}, {}});
  }
  if (lines.empty()) throw std::runtime_error("there is no connection");
  for (int round = 0; round < options.rounds; ++round)
    for (const std::size_t bytes :
         {4ul, 64ul, 1000ul, 4052ul, 4096ul, 65536ul, 300001ul, 1ul << 20, 16ul << 20}) {
      if (bytes > options.most_bytes) continue;
      const Clock::time_point start = Clock::now();
      exchange(lines, bytes, options);
      const double seconds = Seconds(Clock::now() - start).count();
      const double megabytes = static_cast<double>(2 * bytes * lines.size()) / 1e6;
      std::printf("%zu bytes over %zu channels: right, %.2f ms, %.1f MB/s\n", bytes, lines.size(),
                  1e3 * seconds, megabytes / seconds);
      std::fflush(stdout);
    }
}

void latency(const VerbsDomain& domain, int rank, const Options& options) {
  if (rank > 1) return;
  Line line{domain.cables(1 - rank).at(0), 1 - rank, Text(rank, 1 - rank, 0),
            Text(1 - rank, rank, 0),       {},       {}};
  std::vector<std::byte> bytes(options.bytes);
  const Deadline deadline = Clock::now() + options.patience;
  unsigned looks = 0;
  const auto move = [&](bool sends) {
    for (std::size_t done = 0; done < bytes.size();) {
      const iovec piece = {bytes.data() + done, bytes.size() - done};
      done += sends ? line.channel->write({&piece, 1})
                    : line.channel->read(bytes.data() + done, bytes.size() - done);
      // Not often: it takes as long as a look for messages.
      if (++looks % 4096 == 0 && Clock::now() > deadline)
        throw std::runtime_error("the round trips take too long");
    }
  };
  Clock::time_point start = Clock::now();
  for (int i = -options.iterations / 10; i < options.iterations; ++i) {
    if (i == 0) start = Clock::now();
    move(rank == 0);
    move(rank != 0);
  }
  const double microseconds = 1e6 * Seconds(Clock::now() - start).count() / options.iterations;
  if (rank == 0) std::printf("%zu bytes: %.2f usec/iter\n", options.bytes, microseconds);
}

void talk(const Options& options) {
  const Environment environment = read_environment([](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  });
  const Job& job = environment.job;
  Meeting meeting(options.meet, job.rank, job.size);
  std::vector<bool> wanted(static_cast<std::size_t>(job.size), true);
  const auto domain = VerbsDomain::connect(
      job.rank, job.size, job.hosts, job.devices, wanted, environment.settings.verbs,
      [&meeting](const std::string& mine) { return meeting.share(mine); }, Clock::now() + 5s);
  if (options.mode == "check")
    check(*domain, job.rank, job.size, options);
  else
    latency(*domain, job.rank, options);
  std::printf("repairs %llu\n", static_cast<unsigned long long>(domain->repairs()));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    talk(read_options(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "verbs_talk: %s\n", error.what());
    return 1;
  }
}
