#include "fabric/measure.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "fabric/game.hpp"
#include "kernels/reduce.hpp"

namespace jackal::collectives {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

// What one rank tells the others: numbers of its own, then three for each rank.
class Report {
public:
  static constexpr std::size_t kOwn = 4;
  static constexpr std::size_t kEach = 3;

  explicit Report(int size) : numbers_(kOwn + kEach * at(size), 0) {}

  std::int64_t& cores() { return numbers_[0]; }
  std::int64_t& step_ns() { return numbers_[1]; }
  std::int64_t& copy() { return numbers_[2]; }
  std::int64_t& reduce() { return numbers_[3]; }
  std::int64_t& cables(int rank) { return numbers_[kOwn + kEach * at(rank)]; }
  std::int64_t& round_trip_ns(int rank) { return numbers_[kOwn + kEach * at(rank) + 1]; }
  std::int64_t& bytes_per_ms(int rank) { return numbers_[kOwn + kEach * at(rank) + 2]; }

  std::string text() const {
    std::string bytes(numbers_.size() * sizeof(std::int64_t), '\0');
    std::memcpy(bytes.data(), numbers_.data(), bytes.size());
    return bytes;
  }
  static Report of(int rank, int size, const std::string& bytes) {
    Report report(size);
    constexpr std::int64_t kMost = std::int64_t{1} << 40;
    if (bytes.size() == report.numbers_.size() * sizeof(std::int64_t)) {
      std::memcpy(report.numbers_.data(), bytes.data(), bytes.size());
      if (std::all_of(report.numbers_.begin(), report.numbers_.end(),
                      [](std::int64_t number) { return number >= 0 && number <= kMost; }))
        return report;
    }
    throw Error(Code::internal, "rank " + std::to_string(rank) + " reports measurements that make no sense",
                rank);
  }

private:
  std::vector<std::int64_t> numbers_;
};

// The best of a few goes over a block that fits a core's cache.
template <class Work>
std::int64_t bytes_per_ms(std::size_t bytes, const Work& work) {
  std::int64_t best_ns = INT64_MAX;
  for (int i = 0; i < 4; ++i) {
    const auto start = Clock::now();
    work();
    const auto time = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
    best_ns = std::clamp<std::int64_t>(time, 1, best_ns);
  }
  return static_cast<std::int64_t>(bytes) * 1'000'000 / best_ns;
}

void measure_memory(Report& report) {
  constexpr std::size_t kFloats = (256 << 10) / sizeof(float);
  std::vector<float> a(kFloats, 1.0F);
  std::vector<float> b(kFloats, 2.0F);
  report.copy() =
      bytes_per_ms(kFloats * sizeof(float), [&] { copy(b.data(), a.data(), kFloats * sizeof(float)); });
  const Kernel sum = kernel_of(Op::sum, Dtype::float32);
  report.reduce() =
      bytes_per_ms(kFloats * sizeof(float), [&] { sum.pair(a.data(), b.data(), b.data(), kFloats); });
}

// Of two ranks' host, where both are on one and two of its ranks play for all.
const Sample* sample_for(const Surroundings& own, int a, int b) {
  const int host = own.host_of[at(a)];
  if (own.samples.empty() || host != own.host_of[at(b)]) return nullptr;
  const Sample& sample = own.samples[at(host)];
  return sample.low < 0 ? nullptr : &sample;
}

bool plays(const Surroundings& own, int a, int b) {
  const Sample* sample = sample_for(own, a, b);
  return sample == nullptr || (sample->low == std::min(a, b) && sample->high == std::max(a, b));
}

Report measure_own(const Surroundings& own, Watch& watch) {
  Report report(own.size);
  report.cores() = own.cores;
  measure_memory(report);
  std::int64_t writes = 0;
  int played = 0;
  for (int round = 0; round < rounds_of(own.size); ++round) {
    const int peer = partner_in(round, own.rank, own.size);
    if (peer < 0 || own.lanes[at(peer)].empty()) continue;
    report.cables(peer) = static_cast<std::int64_t>(own.lanes[at(peer)].size());
    if (!plays(own, own.rank, peer)) continue;
    if (own.on_turn) own.on_turn(peer);
    const Score score = play(peer, own.lanes[at(peer)], own.rank < peer, watch);
    report.round_trip_ns(peer) = score.round_trip_ns;
    report.bytes_per_ms(peer) = score.bytes_per_ms;
    report.copy() = std::min(report.copy(), score.busy_bytes_per_ms);
    writes += score.write_ns;
    ++played;
  }
  report.step_ns() = played == 0 ? 0 : writes / played;
  return report;
}

// Those who did not play say what those have found who played for them.
void fill_in(const Surroundings& own, std::vector<Report>& reports) {
  for (int rank = 0; rank < own.size; ++rank) {
    const Sample* sample = sample_for(own, rank, rank);
    if (sample == nullptr) continue;
    Report& report = reports[at(rank)];
    Report& low = reports[at(sample->low)];
    Report& high = reports[at(sample->high)];
    for (int peer = 0; peer < own.size; ++peer) {
      if (plays(own, rank, peer) || report.cables(peer) == 0) continue;
      report.round_trip_ns(peer) = low.round_trip_ns(sample->high);
      report.bytes_per_ms(peer) =
          rank < peer ? low.bytes_per_ms(sample->high) : high.bytes_per_ms(sample->low);
    }
    if (report.step_ns() != 0) continue;
    report.step_ns() = low.step_ns();
    report.copy() = low.copy();
  }
}

template <class Value>
std::int64_t mean(std::vector<Report>& reports, const Value& value) {
  std::int64_t sum = 0;
  for (Report& report : reports) sum += value(report);
  return rounded(sum / static_cast<std::int64_t>(reports.size()));
}

// The same from both ends: who leads has timed the round trip, and the two ways of a link hardly differ.
Path path_between(std::vector<Report>& reports, int a, int b, std::int64_t step_ns) {
  Report& low = reports[at(std::min(a, b))];
  Report& high = reports[at(std::max(a, b))];
  const std::int64_t cables = low.cables(std::max(a, b));
  if (cables != high.cables(std::min(a, b)) || cables > INT32_MAX)
    throw Error(Code::internal, "ranks " + std::to_string(a) + " and " + std::to_string(b) +
                                    " do not agree on the connections between them");
  if (cables == 0) return {};
  Path path;
  path.cables = static_cast<int>(cables);
  path.latency_ns = rounded(std::max<std::int64_t>(0, low.round_trip_ns(std::max(a, b)) / 2 - 2 * step_ns));
  path.bytes_per_ms = std::max<std::int64_t>(
      1, rounded((low.bytes_per_ms(std::max(a, b)) + high.bytes_per_ms(std::min(a, b))) / 2 / cables));
  return path;
}

// Every rank names its transports in rank order, a line each; what rank a says of b counts where a < b.
std::string names_text(const std::vector<std::string>& transports) {
  std::string text;
  for (const std::string& name : transports) text += name + "\n";
  return text;
}

std::vector<std::string> names_of(int rank, int size, const std::string& text) {
  constexpr std::size_t kLongest = 32;
  std::vector<std::string> names;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    names.push_back(text.substr(start, std::min(kLongest, end - start)));
    start = end + 1;
  }
  if (names.size() != at(size))
    throw Error(Code::internal, "rank " + std::to_string(rank) + " reports transports that make no sense",
                rank);
  return names;
}

}  // namespace

int rounds_of(int size) { return size + size % 2 - 1; }

int partner_in(int round, int rank, int size) {
  // Ranks around a table, with one more, whose partner rests, when they are odd; the last stays in its seat.
  const int seats = rounds_of(size);
  int partner = 0;
  if (rank == seats) {
    partner = round * (seats + 1) / 2 % seats;
  } else {
    partner = ((round - rank) % seats + seats) % seats;
    if (partner == rank) partner = seats;
  }
  return partner < size ? partner : -1;
}

std::int64_t rounded(std::int64_t value) {
  std::int64_t unit = 1;
  while (value / unit >= 100) unit *= 10;
  return (value + unit / 2) / unit * unit;
}

std::vector<Sample> samples_of(const Fabric& fabric) {
  std::vector<Sample> samples(fabric.cores_of_host.size());
  for (std::size_t host = 0; host < samples.size(); ++host) {
    std::vector<int> ranks;
    for (int rank = 0; rank < fabric.ranks; ++rank)
      if (at(fabric.host_of[at(rank)]) == host) ranks.push_back(rank);
    if (static_cast<int>(ranks.size()) <= fabric.cores_of_host[host]) continue;
    const Path* first = nullptr;
    bool alike = true;
    for (const int low : ranks)
      for (const int high : ranks) {
        const Path& path = fabric.path(low, high);
        if (low >= high || !path.linked()) continue;
        if (first == nullptr) {
          first = &path;
          samples[host] = {low, high};
        }
        alike = alike && path.transport == first->transport && path.cables == first->cables;
      }
    if (!alike) samples[host] = {};
  }
  return samples;
}

Fabric measure(const Surroundings& surroundings, const ShareBytes& share, Watch& watch) {
  const int size = surroundings.size;
  const Report own = measure_own(surroundings, watch);
  std::vector<Report> reports;
  for (const std::string& text : share(own.text()))
    reports.push_back(Report::of(static_cast<int>(reports.size()), size, text));
  fill_in(surroundings, reports);
  std::vector<std::vector<std::string>> names;
  for (const std::string& text : share(names_text(surroundings.transports)))
    names.push_back(names_of(static_cast<int>(names.size()), size, text));
  Fabric fabric;
  fabric.ranks = size;
  fabric.host_of = surroundings.host_of;
  fabric.step_ns = mean(reports, [](Report& report) { return report.step_ns(); });
  fabric.copy_bytes_per_ms =
      std::max<std::int64_t>(1, mean(reports, [](Report& report) { return report.copy(); }));
  fabric.reduce_bytes_per_ms =
      std::max<std::int64_t>(1, mean(reports, [](Report& report) { return report.reduce(); }));
  fabric.cores_of_host.assign(at(*std::max_element(fabric.host_of.begin(), fabric.host_of.end()) + 1), 1);
  for (int rank = 0; rank < size; ++rank) {
    int& cores = fabric.cores_of_host[at(fabric.host_of[at(rank)])];
    cores = std::max(cores, static_cast<int>(std::min<std::int64_t>(4096, reports[at(rank)].cores())));
  }
  for (int from = 0; from < size; ++from) {
    for (int to = 0; to < size; ++to) {
      Path path = from == to ? Path{} : path_between(reports, from, to, fabric.step_ns);
      if (path.linked()) path.transport = names[at(std::min(from, to))][at(std::max(from, to))];
      fabric.paths.push_back(std::move(path));
    }
  }
  return fabric;
}

}  // namespace jackal::collectives
