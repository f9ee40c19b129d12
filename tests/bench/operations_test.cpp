#include "bench/operations.hpp"

#include "support/catch.hpp"

namespace jackal::bench {

TEST_CASE("a size is what nccl-tests takes it for: the larger buffer") {
  CHECK(extent(Operation::all_reduce, 64, 4, 4) == Extent{16, 16, 16, 64});
  CHECK(extent(Operation::reduce_scatter, 64, 4, 4) == Extent{4, 16, 4, 64});
  CHECK(extent(Operation::all_gather, 64, 4, 4) == Extent{4, 4, 16, 64});
  CHECK(extent(Operation::broadcast, 64, 4, 4) == Extent{16, 0, 16, 64});
  CHECK(extent(Operation::reduce, 64, 4, 4) == Extent{16, 16, 16, 64});
  CHECK(extent(Operation::gather, 64, 4, 4) == Extent{4, 4, 16, 64});
  CHECK(extent(Operation::scatter, 64, 4, 4) == Extent{4, 16, 4, 64});
  CHECK(extent(Operation::all_to_all, 64, 4, 4) == Extent{4, 16, 16, 64});
  CHECK(extent(Operation::sendrecv, 64, 4, 4) == Extent{16, 16, 16, 64});
  CHECK(extent(Operation::barrier, 64, 4, 4) == Extent{});
}

TEST_CASE("a size that does not divide is rounded down, to one element of each rank at least") {
  CHECK(extent(Operation::all_reduce, 11, 4, 3).bytes == 8);
  CHECK(extent(Operation::all_reduce, 1, 8, 3).bytes == 8);
  CHECK(extent(Operation::all_gather, 8, 4, 4).bytes == 16);
  CHECK(extent(Operation::all_to_all, 100, 4, 3).bytes == 96);
}

TEST_CASE("bus bandwidth counts what the busiest link carries") {
  CHECK(bus_factor(Operation::all_reduce, 4) == Approx(1.5));
  CHECK(bus_factor(Operation::reduce_scatter, 4) == Approx(0.75));
  CHECK(bus_factor(Operation::all_gather, 4) == Approx(0.75));
  CHECK(bus_factor(Operation::all_to_all, 4) == Approx(0.75));
  CHECK(bus_factor(Operation::gather, 2) == Approx(0.5));
  CHECK(bus_factor(Operation::broadcast, 4) == Approx(1));
  CHECK(bus_factor(Operation::reduce, 4) == Approx(1));
  CHECK(bus_factor(Operation::sendrecv, 4) == Approx(1));
  CHECK(bus_factor(Operation::all_reduce, 1) == Approx(0));
}

TEST_CASE("algorithm bandwidth is bytes over time") {
  CHECK(algorithm_bandwidth(1'000'000, 100) == Approx(10));
  CHECK(algorithm_bandwidth(0, 100) == 0);
  CHECK(algorithm_bandwidth(8, 0) == 0);
}

TEST_CASE("only what waits for everybody is measured back to back") {
  CHECK_FALSE(may_run_ahead(Operation::all_reduce));
  CHECK_FALSE(may_run_ahead(Operation::all_to_all));
  CHECK(may_run_ahead(Operation::broadcast));
  CHECK(may_run_ahead(Operation::sendrecv));
}

}  // namespace jackal::bench
