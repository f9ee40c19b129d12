#include "group/call.hpp"

#include <bit>
#include <cstring>

#include "kernels/reduce.hpp"

namespace jackal::collectives {
namespace {

// Where each value lies in a Signature; the rest is 0.
constexpr std::size_t kNumberAt = 0;
constexpr std::size_t kCountAt = 8;
constexpr std::size_t kRootAt = 16;
constexpr std::size_t kExtraAt = 20;
constexpr std::size_t kOperationAt = 24;
constexpr std::size_t kOpAt = 25;
constexpr std::size_t kDtypeAt = 26;

// Every machine that this library is for is little-endian, and every call makes one of these.
static_assert(std::endian::native == std::endian::little);

template <class Unsigned>
void store(std::array<std::byte, Signature::kSize>& bytes, std::size_t at, Unsigned value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

template <class Unsigned>
Unsigned load(const std::array<std::byte, Signature::kSize>& bytes, std::size_t at) {
  Unsigned value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// The header's shorthands; other operations carry the Op in parentheses.
std::string name_of(Operation operation, Op op) {
  if (operation == Operation::all_reduce) {
    if (op == Op::sum) return "all_sum";
    if (op == Op::min) return "all_min";
    if (op == Op::max) return "all_max";
  }
  std::string name = operation_name(operation);
  const auto number = static_cast<int>(op);
  if (!reduces(operation)) return name;
  const bool known = number >= 0 && number <= static_cast<int>(Op::average);
  return name + " (" + (known ? op_name(op) : "op " + std::to_string(number)) + ")";
}

std::string elements(std::size_t count, Dtype dtype) {
  const std::string type =
      dtype_size(dtype) != 0 ? dtype_name(dtype) : "dtype " + std::to_string(static_cast<int>(dtype));
  return " of " + std::to_string(count) + " " + type;
}

}  // namespace

bool reduces(Operation operation) {
  return operation == Operation::all_reduce || operation == Operation::reduce_scatter ||
         operation == Operation::reduce;
}

const char* operation_name(Operation operation) {
  switch (operation) {
    case Operation::all_reduce:
      return "all_reduce";
    case Operation::reduce_scatter:
      return "reduce_scatter";
    case Operation::all_gather:
      return "all_gather";
    case Operation::all_gather_v:
      return "all_gather_v";
    case Operation::broadcast:
      return "broadcast";
    case Operation::reduce:
      return "reduce";
    case Operation::gather:
      return "gather";
    case Operation::scatter:
      return "scatter";
    case Operation::all_to_all:
      return "all_to_all";
    case Operation::barrier:
      return "barrier";
    case Operation::split:
      return "split";
  }
  return "an unknown operation";
}

std::string Call::text() const {
  std::string text = name_of(operation, op);
  if (operation != Operation::barrier && operation != Operation::split) text += elements(count, dtype);
  if (operation == Operation::broadcast || operation == Operation::scatter)
    text += " from rank " + std::to_string(root);
  if (operation == Operation::reduce || operation == Operation::gather)
    text += " to rank " + std::to_string(root);
  return text;
}

Signature Signature::of(std::uint64_t number, const Call& call) {
  Signature made;
  store(made.bytes, kNumberAt, number);
  store(made.bytes, kCountAt, std::uint64_t{call.count});
  store(made.bytes, kRootAt, static_cast<std::uint32_t>(call.root));
  store(made.bytes, kExtraAt, call.extra);
  store(made.bytes, kOperationAt, static_cast<std::uint8_t>(call.operation));
  store(made.bytes, kOpAt, static_cast<std::uint8_t>(call.op));
  store(made.bytes, kDtypeAt, static_cast<std::uint8_t>(call.dtype));
  return made;
}

void Signature::set_number(std::uint64_t number) { store(bytes, kNumberAt, number); }

std::uint64_t Signature::number() const { return load<std::uint64_t>(bytes, kNumberAt); }

std::string Signature::text() const {
  Call call;
  call.operation = static_cast<Operation>(load<std::uint8_t>(bytes, kOperationAt));
  call.op = static_cast<Op>(load<std::uint8_t>(bytes, kOpAt));
  call.dtype = static_cast<Dtype>(load<std::uint8_t>(bytes, kDtypeAt));
  call.count = static_cast<std::size_t>(load<std::uint64_t>(bytes, kCountAt));
  call.root = static_cast<int>(load<std::uint32_t>(bytes, kRootAt));
  std::string text = call.text();
  if (const auto extra = load<std::uint32_t>(bytes, kExtraAt); extra != 0)
    text += ", counts and algorithm number " + std::to_string(extra) + ",";
  return text + " as its call " + std::to_string(number());
}

}  // namespace jackal::collectives
