#include "group/call.hpp"

#include "support/catch.hpp"

using namespace jackal::collectives;

TEST_CASE("a call reads as its caller would write it") {
  const auto text = [](Operation operation, Op op, int root) {
    return Call{operation, op, Dtype::float32, 10, root, 0}.text();
  };
  CHECK(text(Operation::all_reduce, Op::sum, -1) == "all_sum of 10 float32");
  CHECK(text(Operation::all_reduce, Op::min, -1) == "all_min of 10 float32");
  CHECK(text(Operation::all_reduce, Op::max, -1) == "all_max of 10 float32");
  CHECK(text(Operation::all_reduce, Op::product, -1) == "all_reduce (product) of 10 float32");
  CHECK(text(Operation::reduce_scatter, Op::sum, -1) == "reduce_scatter (sum) of 10 float32");
  CHECK(text(Operation::all_gather, Op::sum, -1) == "all_gather of 10 float32");
  CHECK(text(Operation::broadcast, Op::sum, 2) == "broadcast of 10 float32 from rank 2");
  CHECK(text(Operation::reduce, Op::average, 0) == "reduce (average) of 10 float32 to rank 0");
  CHECK(text(Operation::gather, Op::sum, 1) == "gather of 10 float32 to rank 1");
  CHECK(text(Operation::scatter, Op::sum, 1) == "scatter of 10 float32 from rank 1");
  CHECK(text(Operation::barrier, Op::sum, -1) == "barrier");
  CHECK(text(Operation::split, Op::sum, -1) == "split");
}

TEST_CASE("a signature tells every argument apart, and reads like the call with its number") {
  const Call call{Operation::reduce, Op::sum, Dtype::int8, std::size_t{1} << 40, 3, 0};
  const Signature signature = Signature::of(7, call);
  CHECK(signature == Signature::of(7, call));
  CHECK(signature.text() == "reduce (sum) of 1099511627776 int8 to rank 3 as its call 7");
  CHECK(signature != Signature::of(8, call));
  const auto changed = [&](auto change) {
    Call other = call;
    change(other);
    return signature != Signature::of(7, other);
  };
  CHECK(changed([](Call& other) { other.operation = Operation::gather; }));
  CHECK(changed([](Call& other) { other.op = Op::max; }));
  CHECK(changed([](Call& other) { other.dtype = Dtype::uint8; }));
  CHECK(changed([](Call& other) { other.count = 0; }));
  CHECK(changed([](Call& other) { other.root = 2; }));
  CHECK(changed([](Call& other) { other.extra = 1; }));
}

TEST_CASE("bytes that are no signature have a text all the same") {
  Signature signature;
  signature.bytes.fill(std::byte{0xff});
  CHECK(signature.text().find("an unknown operation of 18446744073709551615 dtype 255") == 0);
  CHECK(Signature{}.text().find("an unknown operation of 0 bool") == 0);
}
