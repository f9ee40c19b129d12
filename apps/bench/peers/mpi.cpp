// Measures an MPI library; built once with each one's compiler wrapper.
#include <mpi.h>

#include "bench/peers/peer.hpp"

namespace jackal::bench {
namespace {

class Mpi : public Contender {
public:
  explicit Mpi(const Options& options) : operation_(options.operation) {
    MPI_Init(nullptr, nullptr);  // errors end the job: MPI_ERRORS_ARE_FATAL
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
  }
  ~Mpi() override { MPI_Finalize(); }
  Mpi(const Mpi&) = delete;
  Mpi& operator=(const Mpi&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  const std::byte* call(const Extent& extent, std::byte* in, std::byte* out) override {
    const int count = static_cast<int>(extent.count);
    switch (operation_) {
      case Operation::all_reduce:
        MPI_Allreduce(in, out, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
        break;
      case Operation::reduce_scatter:
        MPI_Reduce_scatter_block(in, out, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
        break;
      case Operation::all_gather:
        MPI_Allgather(in, count, MPI_FLOAT, out, count, MPI_FLOAT, MPI_COMM_WORLD);
        break;
      case Operation::broadcast:
        MPI_Bcast(out, count, MPI_FLOAT, 0, MPI_COMM_WORLD);
        break;
      case Operation::all_to_all:
        MPI_Alltoall(in, count, MPI_FLOAT, out, count, MPI_FLOAT, MPI_COMM_WORLD);
        break;
      case Operation::barrier:
        MPI_Barrier(MPI_COMM_WORLD);
        break;
      default:
        throw Failure(Reason::usage, name_of(operation_) + " is not compared with MPI");
    }
    return out;
  }

  void barrier() override { MPI_Barrier(MPI_COMM_WORLD); }
  void largest(double* values, std::size_t count) override {
    MPI_Allreduce(MPI_IN_PLACE, values, static_cast<int>(count), MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  }
  std::uint64_t total(std::uint64_t value) override {
    MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    return value;
  }
  std::string explain(const Extent&) const override { return {}; }

private:
  Operation operation_;
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace
}  // namespace jackal::bench

int main(int argc, char** argv) {
  using namespace jackal::bench;
  return peer_main(argc, argv, [](const Options& options) {
    if (options.in_place) throw Failure(Reason::usage, "MPI is compared out of place");
    Mpi mpi(options);
    return run_measurement(options, mpi);
  });
}
