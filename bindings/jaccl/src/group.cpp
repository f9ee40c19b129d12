// jaccl::Group over jackal::Group, and how a configuration becomes one.
#include <algorithm>
#include <cstring>
#include <numeric>
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
  void sum_scatter(const void* input, void* output, size_t n_bytes, int dtype) override {
    group_.reduce_scatter(input, output, count_of(n_bytes, dtype), static_cast<jackal::Dtype>(dtype),
                          Op::sum);
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
          if (op == Op::max ? best < other : other < best) best = other;
        }
        output[at + i] = best;
      }
    }
  }

  jackal::Group group_;
};

std::shared_ptr<Group> refused(bool strict, const std::string& why) {
  if (strict) throw std::runtime_error("JACCL group: " + why);
  return nullptr;
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
  if (!config.is_valid_mesh() && !config.is_valid_ring())
    return refused(strict, "its device matrix is neither a mesh nor a ring");
  if (config.rank_ < 0 || config.rank_ >= config.size_)
    return refused(strict, "rank " + std::to_string(config.rank_) + " is none of its " +
                               std::to_string(config.size_) + " ranks");
  try {
    Meeting meeting{config.rank_, config.size_, config.coordinator_, config.prefer_ring_, config.devices_};
    AllGatherFn all_gather = config.all_gather_;
    if (!all_gather && config.all_gather_factory_)
      all_gather = config.all_gather_factory_(config.rank_, config.size_);
    if (all_gather) meeting.coordinator = agree_on_coordinator(config.rank_, config.size_, all_gather);
    if (meeting.coordinator.empty())
      return refused(strict, "it has neither a coordinator nor an all-gather function");
    return std::make_shared<JackalGroup>(meet(meeting));
  } catch (const std::exception&) {
    if (strict) throw;
    return nullptr;
  }
}

std::shared_ptr<Group> init(bool strict, std::function<AllGatherFn(int, int)> factory) {
  try {
    Config config = Config::from_env();
    if (factory) config.set_all_gather_factory(std::move(factory));
    if (!config.is_valid())
      return refused(strict,
                     "set a rank (JACCL_RANK or MLX_RANK), a device matrix (JACCL_IBV_DEVICES or "
                     "MLX_IBV_DEVICES) that is a mesh or a ring, and a coordinator (JACCL_COORDINATOR or "
                     "MLX_JACCL_COORDINATOR)");
    return init(config, strict);
  } catch (const std::exception&) {
    if (strict) throw;
    return nullptr;
  }
}

std::shared_ptr<Group> init(bool strict) { return init(strict, {}); }

}  // namespace jaccl
