// jaccl::Group over jackal::Group, and how a configuration becomes one.
#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "bootstrap.hpp"
#include "jaccl/jaccl.h"
#include "jaccl/types.h"
#include "kernels/reduce.hpp"
#include "transports/verbs/library.hpp"

namespace jaccl {
namespace {

using jackal::Op;

// Elements whose order only this binding knows are gathered from all ranks and compared here, so many at a
// time.
constexpr std::size_t kOrderedSlice = 16384;

std::size_t count_of(size_t n_bytes, int dtype) {
  const std::size_t size = jackal::collectives::dtype_size(static_cast<jackal::Dtype>(dtype));
  if (size == 0) throw std::invalid_argument("there is no element type " + std::to_string(dtype));
  if (n_bytes % size != 0)
    throw std::invalid_argument(std::to_string(n_bytes) + " bytes are no whole number of elements of " +
                                std::to_string(size) + " bytes");
  return n_bytes / size;
}

class JackalGroup : public Group {
public:
  explicit JackalGroup(jackal::Group group) : group_(std::move(group)) {}

  int rank() override { return group_.rank(); }
  int size() override { return group_.size(); }

  void all_sum(const void* input, void* output, size_t n_bytes, int dtype) override {
    reduce(input, output, n_bytes, dtype, Op::sum);
  }
  void all_max(const void* input, void* output, size_t n_bytes, int dtype) override {
    reduce(input, output, n_bytes, dtype, Op::max);
  }
  void all_min(const void* input, void* output, size_t n_bytes, int dtype) override {
    reduce(input, output, n_bytes, dtype, Op::min);
  }
  void all_gather(const void* input, void* output, size_t n_bytes) override {
    group_.all_gather(input, output, n_bytes, jackal::Dtype::uint8);
  }
  // libjackal takes an output within the input only as this rank's chunk. JACCL's in place is the first.
  void sum_scatter(const void* input, void* output, size_t n_bytes, int dtype) override {
    const std::size_t count = count_of(n_bytes, dtype);
    std::vector<std::byte> aside(input == output && group_.rank() > 0 ? n_bytes : 0);
    group_.reduce_scatter(input, aside.empty() ? output : aside.data(), count,
                          static_cast<jackal::Dtype>(dtype), Op::sum);
    if (!aside.empty()) std::memcpy(output, aside.data(), n_bytes);
  }
  void send(const void* input, size_t n_bytes, int dst) override {
    group_.send(input, n_bytes, jackal::Dtype::uint8, dst);
  }
  void recv(void* output, size_t n_bytes, int src) override {
    group_.recv(output, n_bytes, jackal::Dtype::uint8, src);
  }
  void barrier() override { group_.barrier(); }

private:
  void reduce(const void* input, void* output, size_t n_bytes, int dtype, Op op) {
    const std::size_t count = count_of(n_bytes, dtype);
    if (dtype == Complex64 && op != Op::sum) {
      order(static_cast<const complex64_t*>(input), static_cast<complex64_t*>(output), count, op);
    } else {
      group_.all_reduce(input, output, count, static_cast<jackal::Dtype>(dtype), op);
    }
  }

  void order(const complex64_t* input, complex64_t* output, std::size_t count, Op op) {
    const auto ranks = static_cast<std::size_t>(group_.size());
    std::vector<complex64_t> all(ranks * std::min(count, kOrderedSlice));
    for (std::size_t at = 0; at < count; at += kOrderedSlice) {
      const std::size_t part = std::min(count - at, kOrderedSlice);
      group_.all_gather(input + at, all.data(), part, jackal::Dtype::complex64);
      for (std::size_t i = 0; i < part; ++i) {
        complex64_t best = all[i];
        for (std::size_t r = 1; r < ranks; ++r) {
          const complex64_t other = all[r * part + i];
          if (!(op == Op::max ? best > other : best < other)) best = other;
        }
        output[at + i] = best;
      }
    }
  }

  jackal::Group group_;
};

// Why no group can be made of `config`; "" when one can.
std::string objection(const Config& config) {
  const std::string ranks = std::to_string(config.get_size());
  if (config.get_size() == 0)
    return "there is no device matrix: set JACCL_IBV_DEVICES or MLX_IBV_DEVICES to the path of one, or call "
           "set_devices()";
  if (config.get_size() == 1) return "its device matrix is of one rank, expected two or more";
  if (!config.is_valid_mesh() && !config.is_valid_ring())
    return "its device matrix of " + ranks +
           " ranks is neither a mesh (devices for every pair) nor a ring (equally many to both neighbours of "
           "each)";
  if (config.get_rank() < 0)
    return "this process has no rank: set JACCL_RANK or MLX_RANK, or call set_rank()";
  if (config.get_rank() >= config.get_size())
    return "rank " + std::to_string(config.get_rank()) + " is none of its " + ranks +
           " ranks, counted from 0";
  if (!config.is_valid())
    return "nothing says where its ranks meet: set JACCL_COORDINATOR or MLX_JACCL_COORDINATOR to rank 0's "
           "ADDRESS:PORT, or call set_coordinator() or set_all_gather()";
  return "";
}

// What `make` makes. Where it throws and that is not `strict`: nullptr, and a line for who asked for the log.
std::shared_ptr<Group> attempt(bool strict, const std::function<std::shared_ptr<Group>()>& make) {
  try {
    return make();
  } catch (const std::exception& error) {
    if (strict) throw;
    log_error(error.what());
    return nullptr;
  }
}

}  // namespace

bool is_available() {
  const jackal::collectives::LoadedVerbs loaded =
      jackal::collectives::load_verbs(verbs_library_of_environment());
  if (loaded.library == nullptr) return false;
  int count = 0;
  ibv_device** devices = loaded.library->get_device_list(&count);
  if (devices != nullptr) loaded.library->free_device_list(devices);
  return count > 0;
}

std::shared_ptr<Group> init(const Config& config, bool strict) {
  return attempt(strict, [&config] {
    if (const std::string why = objection(config); !why.empty())
      throw std::runtime_error("no JACCL group: " + why);
    const bool ring = config.prefer_ring_ && config.is_valid_ring();
    Meeting meeting{config.rank_, config.coordinator_, ring, config.launched_, config.devices_};
    AllGatherFn all_gather = config.all_gather_;
    if (!all_gather && config.all_gather_factory_)
      all_gather = config.all_gather_factory_(config.rank_, config.size_);
    if (all_gather) meeting.coordinator = agree_on_coordinator(config.rank_, config.size_, all_gather);
    return std::make_shared<JackalGroup>(meet(meeting));
  });
}

std::shared_ptr<Group> init(bool strict, std::function<AllGatherFn(int, int)> factory) {
  return attempt(strict, [&factory] {
    Config config = Config::from_env();
    if (factory) config.set_all_gather_factory(std::move(factory));
    return init(config, true);
  });
}

std::shared_ptr<Group> init(bool strict) { return init(strict, {}); }

}  // namespace jaccl
