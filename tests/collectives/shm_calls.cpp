#include "collectives/shm_calls.hpp"

#include <cstring>
#include <numeric>
#include <random>

#include "kernels/half.hpp"
#include "kernels/reduce.hpp"

namespace shm_test {
namespace {

using jc::Dtype;
using jc::Operation;
using Bytes = std::vector<std::byte>;

constexpr std::size_t kGuard = 64;
constexpr std::byte kGuardByte{0xa5};

template <class T>
void put(Bytes& bytes, std::size_t index, T value) {
  std::memcpy(bytes.data() + index * sizeof value, &value, sizeof value);
}

// Small whole numbers: no sum of them is a NaN, whose bits the order of operands would show in.
Bytes numbers(Dtype dtype, std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes bytes(count * jc::dtype_size(dtype));
  for (std::size_t i = 0; i < count; ++i) {
    const auto number = static_cast<float>(random() % 7) + 1.0F;
    switch (dtype) {
      case Dtype::float32:
        put(bytes, i, number / 3.0F);
        break;
      case Dtype::float64:
        put(bytes, i, double{number} / 3.0);
        break;
      case Dtype::float16:
        put(bytes, i, jc::float16_from_float(number));
        break;
      case Dtype::bfloat16:
        put(bytes, i, jc::bfloat16_from_float(number));
        break;
      case Dtype::complex64:
        put(bytes, 2 * i, number);
        put(bytes, 2 * i + 1, number / 3.0F);
        break;
      case Dtype::bool_:
        put(bytes, i, static_cast<std::uint8_t>(random() % 2));
        break;
      default:
        for (std::size_t b = 0; b < jc::dtype_size(dtype); ++b)
          bytes[i * jc::dtype_size(dtype) + b] = static_cast<std::byte>(random());
    }
  }
  return bytes;
}

std::vector<std::size_t> counts_of(const Trial& trial, std::size_t size) {
  std::vector<std::size_t> counts(size);
  for (std::size_t rank = 0; rank < size; ++rank)
    counts[rank] = trial.count * ((rank + trial.seed) % 3) / 2 + rank % 2;
  return counts;
}

// The elements of rank `rank`'s input.
std::size_t in_count(const Trial& trial, std::size_t size, std::size_t rank) {
  const bool root = static_cast<int>(rank) == trial.root;
  switch (trial.operation) {
    case Operation::reduce_scatter:
    case Operation::all_to_all:
      return trial.count * size;
    case Operation::scatter:
      return root ? trial.count * size : 0;
    case Operation::all_gather_v:
      return counts_of(trial, size)[rank];
    case Operation::barrier:
      return 0;
    default:
      return trial.count;
  }
}

Bytes input(const Trial& trial, std::size_t size, std::size_t rank) {
  return numbers(trial.dtype, in_count(trial, size, rank), trial.seed * 1000 + rank);
}

Bytes combined(const Trial& trial, const std::vector<Bytes>& all) {
  Bytes sum = all[0];
  const std::size_t count = sum.size() / jc::dtype_size(trial.dtype);
  const jc::Kernel kernel = jc::kernel_of(trial.op, trial.dtype);
  for (std::size_t rank = 1; rank < all.size(); ++rank)
    kernel.pair(sum.data(), all[rank].data(), sum.data(), count);
  if (trial.op == jc::Op::average) jc::divide(trial.dtype, sum.data(), count, static_cast<int>(all.size()));
  return sum;
}

Bytes chunk(const Bytes& bytes, std::size_t index, std::size_t chunks) {
  const auto size = static_cast<std::ptrdiff_t>(bytes.size() / chunks);
  const auto first = bytes.begin() + size * static_cast<std::ptrdiff_t>(index);
  return Bytes(first, first + size);
}

// What rank `me` gets; empty where it gets nothing.
Bytes expected(const Trial& trial, std::size_t size, std::size_t me) {
  std::vector<Bytes> all;
  for (std::size_t rank = 0; rank < size; ++rank) all.push_back(input(trial, size, rank));
  const auto root = static_cast<std::size_t>(trial.root);
  Bytes together;
  switch (trial.operation) {
    case Operation::all_reduce:
      return combined(trial, all);
    case Operation::reduce:
      return me == root ? combined(trial, all) : Bytes{};
    case Operation::reduce_scatter:
      return chunk(combined(trial, all), me, size);
    case Operation::broadcast:
      return all[root];
    case Operation::scatter:
      return chunk(all[root], me, size);
    case Operation::gather:
      if (me != root) return {};
      [[fallthrough]];
    case Operation::all_gather:
    case Operation::all_gather_v:
      for (const Bytes& one : all) together.insert(together.end(), one.begin(), one.end());
      return together;
    case Operation::all_to_all:
      for (const Bytes& one : all) {
        const Bytes mine = chunk(one, me, size);
        together.insert(together.end(), mine.begin(), mine.end());
      }
      return together;
    default:
      return {};
  }
}

// Where an output lies when it shares memory with the input: `in` and `out` are offsets of both.
struct Overlay {
  std::size_t in = 0;
  std::size_t out = 0;
};

Overlay overlay_of(const Trial& trial, std::size_t size, std::size_t me, std::size_t ins) {
  const std::size_t bytes = trial.count * jc::dtype_size(trial.dtype);
  const auto counts = counts_of(trial, size);
  const auto before =
      std::accumulate(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(me), std::size_t{0});
  switch (trial.operation) {
    case Operation::reduce_scatter:
      return {0, trial.seed % 2 == 0 ? me * bytes : 0};
    case Operation::all_gather:
      return {(trial.seed % 2 == 0 ? me : 0) * bytes, 0};
    case Operation::all_gather_v:
      return {ins == 0 ? 0 : before * jc::dtype_size(trial.dtype), 0};
    default:
      return {};
  }
}

// Memory of one operand, with guards around it.
class Room {
public:
  Room(Rank& rank, bool buffer, std::size_t bytes, std::size_t shift) : bytes_(bytes), shift_(shift) {
    const std::size_t all = bytes + shift + 2 * kGuard;
    if (buffer) {
      memory_ = rank.domain().allocate(all);
    } else {
      memory_ = std::shared_ptr<std::byte[]>(new std::byte[all]);
    }
    std::memset(memory_.get(), static_cast<int>(kGuardByte), all);
  }
  std::byte* data() const { return static_cast<std::byte*>(memory_.get()) + kGuard + shift_; }
  bool guarded() const {
    for (std::size_t i = 0; i < kGuard; ++i)
      if (data()[bytes_ + i] != kGuardByte || *(data() - 1 - i) != kGuardByte) return false;
    return true;
  }

private:
  std::size_t bytes_;
  std::size_t shift_;
  std::shared_ptr<void> memory_;
};

void fill(std::byte* to, const Bytes& bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
}

}  // namespace

std::string Trial::text() const {
  return std::string(jc::operation_name(operation)) + " " + jc::op_name(op) + " of " + std::to_string(count) +
         " " + jc::dtype_name(dtype) + ", root " + std::to_string(root) + ", where " +
         std::to_string(static_cast<int>(where)) + ", shift " + std::to_string(shift) + ", seed " +
         std::to_string(seed);
}

std::string carry_out(Rank& rank, const Trial& trial) {
  const auto me = static_cast<std::size_t>(rank.rank());
  const Bytes in = input(trial, rank.size(), me);
  const Bytes wanted = expected(trial, rank.size(), me);
  const bool buffers = trial.where == Where::buffers || trial.where == Where::buffers_in_place;
  const bool in_place = trial.where == Where::in_place || trial.where == Where::buffers_in_place ||
                        trial.operation == Operation::broadcast;
  const Overlay overlay = in_place ? overlay_of(trial, rank.size(), me, in.size()) : Overlay{};
  const std::size_t together = std::max(overlay.in + in.size(), overlay.out + wanted.size());
  const Room first(rank, buffers, in_place ? together : in.size(), trial.shift);
  const Room second(rank, buffers, wanted.size(), trial.shift);
  std::byte* from = first.data() + overlay.in;
  std::byte* to = in_place ? first.data() + overlay.out : second.data();
  if (trial.operation != Operation::broadcast || rank.rank() == trial.root) fill(from, in);
  const auto counts = counts_of(trial, rank.size());
  jc::Call call{trial.operation, trial.op, trial.dtype, trial.count, trial.root, 0};
  if (trial.operation == Operation::all_gather_v)
    call.count = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
  rank.run(call, from, to, counts);
  const std::string name = "rank " + std::to_string(me) + ": " + trial.text() + ": ";
  if (!wanted.empty() && std::memcmp(to, wanted.data(), wanted.size()) != 0) return name + "wrong result";
  if (!in_place && !in.empty() && std::memcmp(from, in.data(), in.size()) != 0) return name + "input changed";
  return first.guarded() && second.guarded() ? "" : name + "wrote beyond an operand";
}

Trial random_trial(std::uint64_t seed, std::size_t size, std::size_t most) {
  std::mt19937_64 random(seed);
  Trial trial;
  trial.operation = static_cast<Operation>(1 + random() % 10);
  do {
    trial.dtype = static_cast<Dtype>(random() % 14);
    trial.op = static_cast<jc::Op>(random() % 7);
  } while (!jc::op_objection(trial.op, trial.dtype).empty());
  trial.count = random() % 4 == 0 ? random() % 4 : random() % (most + 1);
  trial.root = static_cast<int>(random() % size);
  trial.where = static_cast<Where>(random() % 4);
  trial.shift = random() % 3 == 0 ? random() % 16 : 0;
  trial.seed = static_cast<unsigned>(random() % 1000);
  return trial;
}

}  // namespace shm_test
