#include "transports/shm/plan.hpp"

#include <numeric>

namespace jackal::collectives::shm {

std::size_t input_bytes(const Shape& shape, std::size_t member) {
  switch (shape.operation) {
    case Operation::all_reduce:
    case Operation::reduce:
    case Operation::all_gather:
    case Operation::gather:
      return shape.bytes;
    case Operation::all_gather_v:
      return shape.counts[member] * shape.element;
    case Operation::broadcast:
      return member == shape.root ? shape.bytes : 0;
    case Operation::scatter:
      return member == shape.root ? shape.bytes * shape.members : 0;
    case Operation::reduce_scatter:
    case Operation::all_to_all:
      return shape.bytes * shape.members;
    case Operation::barrier:
    case Operation::split:
      break;
  }
  return 0;
}

std::size_t most_bytes(const Shape& shape) {
  if (shape.operation == Operation::all_gather_v) return shape.bytes;
  return input_bytes(shape, shape.root);
}

std::size_t output_bytes(const Shape& shape, std::size_t member) {
  switch (shape.operation) {
    case Operation::all_reduce:
    case Operation::broadcast:
    case Operation::reduce_scatter:
    case Operation::scatter:
      return shape.bytes;
    case Operation::reduce:
      return member == shape.root ? shape.bytes : 0;
    case Operation::gather:
      return member == shape.root ? shape.bytes * shape.members : 0;
    case Operation::all_gather:
    case Operation::all_to_all:
      return shape.bytes * shape.members;
    case Operation::all_gather_v:
      return std::accumulate(shape.counts.begin(), shape.counts.end(), std::size_t{0}) * shape.element;
    case Operation::barrier:
    case Operation::split:
      break;
  }
  return 0;
}

Piece piece_of(const Shape& shape, std::size_t from, std::size_t to) {
  const std::size_t bytes = shape.bytes;
  switch (shape.operation) {
    case Operation::all_gather:
      return {0, bytes, from * bytes};
    case Operation::gather:
      return to == shape.root ? Piece{0, bytes, from * bytes} : Piece{};
    case Operation::all_gather_v: {
      const auto before = shape.counts.first(from);
      return {0, shape.counts[from] * shape.element,
              std::accumulate(before.begin(), before.end(), std::size_t{0}) * shape.element};
    }
    case Operation::broadcast:
      return from == shape.root ? Piece{0, bytes, 0} : Piece{};
    case Operation::scatter:
      return from == shape.root ? Piece{to * bytes, bytes, 0} : Piece{};
    case Operation::all_to_all:
      return {to * bytes, bytes, from * bytes};
    case Operation::reduce_scatter:
      return {to * bytes, bytes, 0};
    case Operation::all_reduce:
      return {0, bytes, 0};
    case Operation::reduce:
      return to == shape.root ? Piece{0, bytes, 0} : Piece{};
    case Operation::barrier:
    case Operation::split:
      break;
  }
  return {};
}

bool overlap(const std::byte* a, std::size_t a_bytes, const std::byte* b, std::size_t b_bytes) {
  const auto first = reinterpret_cast<std::uintptr_t>(a);
  const auto second = reinterpret_cast<std::uintptr_t>(b);
  return a_bytes > 0 && b_bytes > 0 && first < second + b_bytes && second < first + a_bytes;
}

}  // namespace jackal::collectives::shm
