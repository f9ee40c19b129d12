#include "group/collective.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>

#include "control/bytes.hpp"
#include "kernels/reduce.hpp"
#include "transports/tcp/exchange.hpp"

namespace jackal::collectives {
namespace {

constexpr std::size_t kHeaderSize = 32;
// Elements of one slice of all_sum, for each rank: what bounds the scratch memory.
constexpr std::size_t kSliceBytes = 256 * 1024;

const char* operation_name(std::uint8_t operation) {
  switch (static_cast<Operation>(operation)) {
    case Operation::all_sum:
      return "all_sum";
    case Operation::all_gather:
      return "all_gather";
    case Operation::barrier:
      return "barrier";
  }
  return "an unknown operation";
}

std::string encode_header(std::uint64_t number, const Call& call) {
  ByteWriter writer;
  writer.number(number).number(std::uint64_t{call.count});
  writer.number(static_cast<std::uint32_t>(call.dtype)).number(static_cast<std::uint8_t>(call.operation));
  std::string bytes = writer.bytes();
  bytes.resize(kHeaderSize, '\0');
  return bytes;
}

std::string describe_header(std::string_view header) {
  ByteReader reader(header);
  const auto number = reader.number<std::uint64_t>();
  const auto count = reader.number<std::uint64_t>();
  const auto dtype = reader.number<std::uint32_t>();
  const auto operation = reader.number<std::uint8_t>();
  std::string text = operation_name(operation);
  if (operation != static_cast<std::uint8_t>(Operation::barrier))
    text += " of " + std::to_string(count) + " " + dtype_name(static_cast<Dtype>(dtype));
  return text + " as its call " + std::to_string(number);
}

// What was queued before goes with the headers; payloads are to be queued for receiving only afterwards.
void agree(Mesh& mesh, Exchange& exchange, const std::string& mine, const Call& call) {
  const auto size = static_cast<std::size_t>(mesh.size());
  std::string theirs(size * kHeaderSize, '\0');
  for (std::size_t rank = 0; rank < size; ++rank)
    if (static_cast<int>(rank) != mesh.rank())
      exchange.receive(static_cast<int>(rank), theirs.data() + rank * kHeaderSize, kHeaderSize);
  exchange.run(Exchange::Until::received);
  for (int rank = 0; rank < mesh.size(); ++rank) {
    const auto header =
        std::string_view(theirs).substr(static_cast<std::size_t>(rank) * kHeaderSize, kHeaderSize);
    if (rank == mesh.rank() || header == mine) continue;
    throw Error(Code::mismatch,
                "the ranks' calls differ: " + mesh.name(mesh.rank()) + " called " + describe_header(mine) +
                    ", " + mesh.name(rank) + " called " + describe_header(header),
                rank, mesh.peer(rank).host, mesh.peer(rank).link, call.text());
  }
}

// Part `index` of `count` elements in `parts` nearly equal ones.
struct Part {
  std::size_t first;
  std::size_t count;
};

Part part_of(std::size_t count, int parts, int index) {
  const auto n = static_cast<std::size_t>(parts);
  const auto i = static_cast<std::size_t>(index);
  const std::size_t extra = std::min(i, count % n);
  return {count / n * i + extra, count / n + (i < count % n ? 1 : 0)};
}

std::size_t checked_size(const Call& call, int copies) {
  const std::size_t size = dtype_size(call.dtype);
  if (size == 0)
    throw Error(Code::invalid_argument,
                call.text() + ": no such type; the numbers are 0 (bool) to 13 (complex64)", -1, "", "",
                call.text());
  if (call.count > std::numeric_limits<std::ptrdiff_t>::max() / size / static_cast<std::size_t>(copies))
    throw Error(Code::invalid_argument, call.text() + ": more bytes than memory can have", -1, "", "",
                call.text());
  return size;
}

void check_memory(const Call& call, const void* in, const void* out) {
  if (call.count > 0 && (in == nullptr || out == nullptr))
    throw Error(Code::invalid_argument, call.text() + ": a buffer is null", -1, "", "", call.text());
}

// Adds chunk `own` of a slice over all ranks; `slots` has room for one chunk of every rank.
class SliceSum {
public:
  SliceSum(Mesh& mesh, Exchange& exchange, Dtype dtype, std::size_t slice_count)
      : mesh_(mesh), exchange_(exchange), kernel_(kernel_of(Op::sum, dtype)), size_(dtype_size(dtype)) {
    // Every slot starts aligned for any type.
    stride_ = (part_of(slice_count, mesh.size(), 0).count * size_ + 15) / 16 * 16;
    slots_ = std::make_unique_for_overwrite<std::byte[]>(stride_ * static_cast<std::size_t>(mesh.size()));
  }

  void queue_sends(const std::byte* in, std::size_t count) {
    for (int rank = 0; rank < mesh_.size(); ++rank) {
      const Part part = part_of(count, mesh_.size(), rank);
      if (rank != mesh_.rank()) exchange_.send(rank, in + part.first * size_, part.count * size_);
    }
  }

  void run(const std::byte* in, std::byte* out, std::size_t count) {
    const Part own = part_of(count, mesh_.size(), mesh_.rank());
    for (int rank = 0; rank < mesh_.size(); ++rank)
      if (rank != mesh_.rank()) exchange_.receive(rank, slot(rank), own.count * size_);
    exchange_.run(Exchange::Until::done);
    if (own.count > 0) std::memcpy(slot(mesh_.rank()), in + own.first * size_, own.count * size_);
    for (int rank = 1; rank < mesh_.size(); ++rank) kernel_.pair(slot(0), slot(rank), slot(0), own.count);
    if (own.count > 0) std::memcpy(out + own.first * size_, slot(0), own.count * size_);
    for (int rank = 0; rank < mesh_.size(); ++rank) {
      if (rank == mesh_.rank()) continue;
      const Part part = part_of(count, mesh_.size(), rank);
      exchange_.send(rank, slot(0), own.count * size_);
      exchange_.receive(rank, out + part.first * size_, part.count * size_);
    }
    exchange_.run(Exchange::Until::done);
  }

private:
  std::byte* slot(int rank) { return slots_.get() + stride_ * static_cast<std::size_t>(rank); }

  Mesh& mesh_;
  Exchange& exchange_;
  Kernel kernel_;
  std::size_t size_;
  std::size_t stride_;
  std::unique_ptr<std::byte[]> slots_;
};

}  // namespace

std::string Call::text() const {
  std::string text = operation_name(static_cast<std::uint8_t>(operation));
  if (operation != Operation::barrier) text += " of " + std::to_string(count) + " " + dtype_name(dtype);
  return text;
}

template <class Body>
void Collectives::run(const Call& call, std::chrono::milliseconds timeout, Body body) {
  const std::string text = call.text();
  if (ended_)
    throw Error(ended_->code(), text + ": the group has ended: " + ended_->what(), ended_->rank(),
                ended_->host, ended_->link, text);
  if (mesh_.size() == 1) return;
  ++calls_;
  const std::string header = encode_header(calls_, call);
  Exchange exchange(mesh_, text, Clock::now() + timeout, timeout);
  try {
    for (int rank = 0; rank < mesh_.size(); ++rank)
      if (rank != mesh_.rank()) exchange.send(rank, header.data(), header.size());
    body(exchange, [&] { agree(mesh_, exchange, header, call); });
  } catch (const Error& error) {
    ended_ = error;
    mesh_.announce(error);
    mesh_.log().error(error.what());
    throw;
  } catch (const std::exception& error) {
    // Such as no memory for the scratch buffer: this rank cannot go on, so nobody can.
    ended_ = Error(Code::internal, text + ": " + mesh_.name(mesh_.rank()) + ": " + error.what(), mesh_.rank(),
                   mesh_.peer(mesh_.rank()).host, "", text);
    mesh_.announce(*ended_);
    throw Error(*ended_);
  }
}

void Collectives::all_sum(const void* in, void* out, std::size_t count, Dtype dtype,
                          std::chrono::milliseconds timeout) {
  const Call call{Operation::all_sum, dtype, count};
  const std::size_t size = checked_size(call, 1);
  check_memory(call, in, out);
  if (mesh_.size() == 1 && count > 0) std::memmove(out, in, count * size);
  run(call, timeout, [&](Exchange& exchange, auto headers_agree) {
    const std::size_t slice = kSliceBytes / size * static_cast<std::size_t>(mesh_.size());
    SliceSum sum(mesh_, exchange, dtype, std::min(count, slice));
    const auto* from = static_cast<const std::byte*>(in);
    auto* to = static_cast<std::byte*>(out);
    sum.queue_sends(from, std::min(count, slice));
    headers_agree();
    for (std::size_t at = 0; at < count; at += slice) {
      const std::size_t part = std::min(count - at, slice);
      if (at > 0) sum.queue_sends(from + at * size, part);
      sum.run(from + at * size, to + at * size, part);
    }
    exchange.run(Exchange::Until::done);
  });
}

void Collectives::all_gather(const void* in, void* out, std::size_t count, Dtype dtype,
                             std::chrono::milliseconds timeout) {
  const Call call{Operation::all_gather, dtype, count};
  const std::size_t bytes = checked_size(call, mesh_.size()) * count;
  check_memory(call, in, out);
  auto* const slots = static_cast<std::byte*>(out);
  const auto slot = [&](int rank) { return slots + bytes * static_cast<std::size_t>(rank); };
  // Sent from its place in `out`, so that `in` may lie anywhere in there.
  if (bytes > 0) std::memmove(slot(mesh_.rank()), in, bytes);
  run(call, timeout, [&](Exchange& exchange, auto headers_agree) {
    for (int rank = 0; rank < mesh_.size(); ++rank)
      if (rank != mesh_.rank()) exchange.send(rank, slot(mesh_.rank()), bytes);
    headers_agree();
    for (int rank = 0; rank < mesh_.size(); ++rank)
      if (rank != mesh_.rank()) exchange.receive(rank, slot(rank), bytes);
    exchange.run(Exchange::Until::done);
  });
}

void Collectives::barrier(std::chrono::milliseconds timeout) {
  run({Operation::barrier, Dtype::uint8, 0}, timeout, [&](Exchange& exchange, auto headers_agree) {
    headers_agree();
    exchange.run(Exchange::Until::done);
  });
}

}  // namespace jackal::collectives
