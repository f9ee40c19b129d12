#include "group/request.hpp"

#include <cstring>
#include <limits>
#include <numeric>

#include "kernels/reduce.hpp"

namespace jackal::collectives {
namespace {

[[noreturn]] void refuse(const Request& request, const std::string& why) {
  const std::string text = request.call.text();
  throw Error(Code::invalid_argument, text + ": " + why, -1, "", "", text);
}

bool has_root(Operation operation) {
  return operation == Operation::broadcast || operation == Operation::reduce ||
         operation == Operation::gather || operation == Operation::scatter;
}

void check_counts(const Request& request, std::size_t size) {
  if (request.counts.size() != size)
    refuse(request, std::to_string(request.counts.size()) + " counts for " + std::to_string(size) + " ranks");
  std::size_t sum = 0;
  for (const std::size_t count : request.counts) {
    if (count > std::numeric_limits<std::size_t>::max() - sum) refuse(request, "the counts are too large");
    sum += count;
  }
}

void check_memory(const Request& request, int rank) {
  const Operation operation = request.call.operation;
  const bool root = rank == request.call.root;
  const bool reads = operation != Operation::broadcast && (operation != Operation::scatter || root);
  const bool writes = (operation != Operation::reduce && operation != Operation::gather) || root;
  const bool empty_input =
      operation == Operation::all_gather_v && request.counts[static_cast<std::size_t>(rank)] == 0;
  if (reads && !empty_input && request.in == nullptr) refuse(request, "the input buffer is null");
  if (writes && request.out == nullptr) refuse(request, "the output buffer is null");
}

std::uint32_t mix(std::uint32_t digest, std::uint64_t value) {
  // FNV-1a, eight bytes at a time.
  for (int i = 0; i < 8; ++i) digest = (digest ^ static_cast<std::uint8_t>(value >> (8 * i))) * 16777619U;
  return digest;
}

}  // namespace

Chunks chunks_of(Operation operation, int ranks) {
  const auto size = static_cast<std::size_t>(ranks);
  switch (operation) {
    case Operation::reduce_scatter:
    case Operation::scatter:
      return {size, 1};
    case Operation::all_gather:
    case Operation::gather:
      return {1, size};
    case Operation::all_to_all:
      return {size, size};
    default:
      return {1, 1};
  }
}

void check(const Request& request, int rank, int size) {
  const Call& call = request.call;
  if (call.operation == Operation::barrier || call.operation == Operation::split) return;
  const std::size_t bytes = dtype_size(call.dtype);
  if (bytes == 0) refuse(request, "no such type; the numbers are 0 (bool) to 13 (complex64)");
  if (reduces(call.operation)) {
    if (std::string objection = op_objection(call.op, call.dtype); !objection.empty())
      refuse(request, objection);
  }
  if (has_root(call.operation) && (call.root < 0 || call.root >= size))
    refuse(request, "no such rank; the ranks are 0 to " + std::to_string(size - 1));
  if (call.operation == Operation::all_gather_v) check_counts(request, static_cast<std::size_t>(size));
  const Chunks chunks = chunks_of(call.operation, size);
  if (call.count >
      std::size_t{std::numeric_limits<std::ptrdiff_t>::max()} / bytes / std::max(chunks.in, chunks.out))
    refuse(request, "more bytes than memory can have");
  if (call.count > 0) check_memory(request, rank);
}

std::uint32_t extra_of(std::span<const std::size_t> counts, std::string_view algorithm) {
  const bool chosen = !algorithm.empty() && algorithm != "auto";
  if (counts.empty() && !chosen) return 0;
  std::uint32_t digest = 2166136261U;
  for (const std::size_t count : counts) digest = mix(digest, count);
  if (chosen)
    for (const char letter : algorithm) digest = mix(digest, static_cast<std::uint8_t>(letter));
  return digest == 0 ? 1 : digest;
}

void run_alone(const Request& request) {
  const Operation operation = request.call.operation;
  if (operation == Operation::broadcast || request.call.count == 0) return;  // barrier and split have none
  // Any overlap is fine: the API allows input within output.
  if (request.in != request.out)
    std::memmove(request.out, request.in, request.call.count * dtype_size(request.call.dtype));
}

void settle_input(const Call& call, std::span<const std::size_t> counts, const void*& in, void* out, int rank,
                  int size) {
  const Operation operation = call.operation;
  if (operation != Operation::all_gather && operation != Operation::all_gather_v) return;
  const std::size_t element = dtype_size(call.dtype);
  const auto own = static_cast<std::size_t>(rank);
  const bool even = operation == Operation::all_gather;
  const std::size_t mine = even ? call.count : counts[own];
  const std::size_t first =
      even ? own * mine : std::accumulate(counts.begin(), counts.begin() + rank, std::size_t{0});
  const std::size_t all = even ? mine * static_cast<std::size_t>(size) : call.count;
  if (mine == 0) return;
  std::byte* const place = static_cast<std::byte*>(out) + first * element;
  const auto begin = reinterpret_cast<std::uintptr_t>(out);
  const auto at = reinterpret_cast<std::uintptr_t>(in);
  const bool outside = at + mine * element <= begin || at >= begin + all * element;
  if (outside || in == place) return;
  std::memmove(place, in, mine * element);
  in = place;
}

Volume volume_of(const Request& request, int rank, int size) {
  const auto bytes = std::uint64_t{request.call.count} * dtype_size(request.call.dtype);
  const auto others = static_cast<std::uint64_t>(size - 1);
  const bool root = rank == request.call.root;
  switch (request.call.operation) {
    case Operation::all_reduce:
      return {bytes, bytes};
    case Operation::all_gather:
    case Operation::reduce_scatter:
    case Operation::all_to_all:
      return {bytes * others, bytes * others};
    case Operation::all_gather_v: {
      const auto mine =
          std::uint64_t{request.counts[static_cast<std::size_t>(rank)]} * dtype_size(request.call.dtype);
      return {mine * others, bytes - mine};
    }
    case Operation::broadcast:
      return root ? Volume{bytes * others, 0} : Volume{0, bytes};
    case Operation::scatter:
      return root ? Volume{bytes * others, 0} : Volume{0, bytes};
    case Operation::reduce:
    case Operation::gather:
      return root ? Volume{0, bytes * others} : Volume{bytes, 0};
    case Operation::barrier:
    case Operation::split:
      return {};
  }
  return {};
}

}  // namespace jackal::collectives
