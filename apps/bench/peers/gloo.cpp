// Measures Gloo's all-reduce over TCP. --algorithm: ring, bcube, halving-doubling, and the latter with the
// caller's thread doing the work: halving-doubling-sync, which sleeps, and halving-doubling-busy, which
// polls.
#include <gloo/allreduce.h>
#include <gloo/allreduce_halving_doubling.h>
#include <gloo/barrier.h>
#include <gloo/math.h>
#include <gloo/rendezvous/context.h>
#include <gloo/rendezvous/file_store.h>
#include <gloo/rendezvous/prefix_store.h>
#include <gloo/transport/tcp/device.h>

#include <algorithm>

#include "bench/peers/peer.hpp"
#include "bench/peers/started.hpp"

namespace jackal::bench {
namespace {

using Ranks = std::shared_ptr<gloo::rendezvous::Context>;

Ranks meet(const std::string& name) {
  const char* directory = std::getenv("GLOO_MEETING");
  if (directory == nullptr) {
    throw Failure(Reason::usage, "GLOO_MEETING names no directory where the ranks meet");
  }
  gloo::rendezvous::FileStore files(directory);
  gloo::rendezvous::PrefixStore store(name, files);
  gloo::transport::tcp::attr where("127.0.0.1");
  auto device = gloo::transport::tcp::CreateDevice(where);
  auto ranks =
      std::make_shared<gloo::rendezvous::Context>(from_launch("JACKAL_RANK"), from_launch("JACKAL_SIZE"));
  ranks->setTimeout(std::chrono::seconds(60));
  ranks->connectFullMesh(store, device);
  return ranks;
}

class Gloo : public Contender {
public:
  explicit Gloo(const Options& options)
      : algorithm_(options.algorithm),
        halving_doubling_(algorithm_.rfind("halving-doubling", 0) == 0),
        ranks_(meet("measured")),
        control_(meet("control")) {
    if (options.operation != Operation::all_reduce) {
      throw Failure(Reason::usage, "only all_reduce is compared with Gloo");
    }
    // It knows one buffer only, which it overwrites.
    if (options.in_place != halving_doubling_) {
      throw Failure(Reason::usage, "Gloo's halving-doubling takes --in-place, its other algorithms do not");
    }
    static const std::vector<std::string> kKnown = {"ring", "bcube", "halving-doubling",
                                                    "halving-doubling-sync", "halving-doubling-busy"};
    if (std::find(kKnown.begin(), kKnown.end(), algorithm_) == kKnown.end()) {
      throw Failure(Reason::usage, "'" + algorithm_ + "' is no algorithm of Gloo's");
    }
    const bool busy = algorithm_ == "halving-doubling-busy";
    if (!busy && algorithm_ != "halving-doubling-sync") return;
    for (int peer = 0; peer < size(); ++peer) {
      if (peer != rank()) ranks_->getPair(peer)->setSync(true, busy);
    }
  }

  int rank() const override { return ranks_->rank; }
  int size() const override { return ranks_->size; }

  const std::byte* call(const Extent& extent, std::byte* in, std::byte* out) override {
    if (!halving_doubling_) {
      reduce(extent.count, in, out);
      return out;
    }
    if (!halving_ || halved_ != extent.count) {
      halving_.reset();
      halving_ = std::make_unique<gloo::AllreduceHalvingDoubling<float>>(
          ranks_, std::vector<float*>{reinterpret_cast<float*>(out)}, static_cast<int>(extent.count));
      halved_ = extent.count;
    }
    halving_->run();
    return out;
  }

  void barrier() override {
    gloo::BarrierOptions options(control_);
    gloo::barrier(options);
  }
  void largest(double* values, std::size_t count) override {
    gloo::AllreduceOptions options(control_);
    options.setOutput(values, count);
    options.setReduceFunction(
        static_cast<void (*)(void*, const void*, const void*, std::size_t)>(&gloo::max<double>));
    gloo::allreduce(options);
  }
  std::uint64_t total(std::uint64_t value) override {
    gloo::AllreduceOptions options(control_);
    options.setOutput(&value, 1);
    options.setReduceFunction(
        static_cast<void (*)(void*, const void*, const void*, std::size_t)>(&gloo::sum<std::uint64_t>));
    gloo::allreduce(options);
    return value;
  }
  std::string explain(const Extent&) const override { return {}; }

private:
  void reduce(std::size_t count, std::byte* in, std::byte* out) {
    using Options = gloo::AllreduceOptions;
    Options options(ranks_);
    options.setAlgorithm(algorithm_ == "ring" ? Options::Algorithm::RING : Options::Algorithm::BCUBE);
    options.setInput(reinterpret_cast<float*>(in), count);
    options.setOutput(reinterpret_cast<float*>(out), count);
    options.setReduceFunction(
        static_cast<void (*)(void*, const void*, const void*, std::size_t)>(&gloo::sum<float>));
    gloo::allreduce(options);
  }

  std::string algorithm_;
  bool halving_doubling_;
  Ranks ranks_;
  Ranks control_;
  std::unique_ptr<gloo::AllreduceHalvingDoubling<float>> halving_;
  std::size_t halved_ = 0;
};

}  // namespace
}  // namespace jackal::bench

int main(int argc, char** argv) {
  using namespace jackal::bench;
  return peer_main(argc, argv, [](const Options& options) {
    pin_if(options.pin);
    Gloo gloo(options);
    return run_measurement(options, gloo);
  });
}
