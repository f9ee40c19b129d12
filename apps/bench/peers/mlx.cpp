// Measures the all-reduce of MLX's ring backend, through the same call that its Python users make, on the
// CPU.
#include <mlx/mlx.h>

#include <vector>

#include "bench/peers/peer.hpp"
#include "bench/peers/started.hpp"

namespace jackal::bench {
namespace {

namespace mx = mlx::core;

class Ring : public Contender {
public:
  explicit Ring(const Options& options) : group_(mx::distributed::init(true, "ring")) {
    if (options.operation != Operation::all_reduce || options.in_place) {
      throw Failure(Reason::usage, "only all_reduce out of place is compared with MLX");
    }
    mx::set_default_device(mx::Device::cpu);
  }

  int rank() const override { return group_.rank(); }
  int size() const override { return group_.size(); }

  const std::byte* call(const Extent& extent, std::byte* in, std::byte*) override {
    // Both arrays stay until the next call, so that neither side's memory is given back within the time
    // taken.
    if (!input_ || input_->data<float>() != reinterpret_cast<float*>(in) || input_->size() != extent.count) {
      input_.emplace(in, mx::Shape{static_cast<int>(extent.count)}, mx::float32, [](void*) {});
      mx::eval(*input_);
    }
    result_.emplace(mx::distributed::all_sum(*input_, group_, mx::Device::cpu));
    mx::eval(*result_);
    return reinterpret_cast<const std::byte*>(result_->data<float>());
  }

  void barrier() override { sum_of(0); }
  void largest(double* values, std::size_t count) override {
    const std::vector<float> mine(values, values + count);
    auto most = mx::distributed::all_max(mx::array(mine.begin(), {static_cast<int>(count)}, mx::float32),
                                         group_, mx::Device::cpu);
    mx::eval(most);
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<double>(most.data<float>()[i]);
  }
  std::uint64_t total(std::uint64_t value) override {
    return static_cast<std::uint64_t>(sum_of(static_cast<float>(value)));
  }
  std::string explain(const Extent&) const override { return {}; }

private:
  float sum_of(float value) {
    auto sum = mx::distributed::all_sum(mx::array({value}, mx::float32), group_, mx::Device::cpu);
    mx::eval(sum);
    return sum.item<float>();
  }

  mx::distributed::Group group_;
  std::optional<mx::array> input_;
  std::optional<mx::array> result_;
};

}  // namespace
}  // namespace jackal::bench

int main(int argc, char** argv) {
  using namespace jackal::bench;
  return peer_main(argc, argv, [](const Options& options) {
    pin_if(options.pin);
    Ring ring(options);
    return run_measurement(options, ring);
  });
}
