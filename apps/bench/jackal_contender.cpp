#include "bench/jackal_contender.hpp"

#include <cstdlib>
#include <cstring>
#include <optional>

#include "bench/failure.hpp"
#include "bench/pinning.hpp"
#include "jackal/collectives.h"

namespace jackal::bench {
namespace {

// The two pairs of enumerations count alike.
static_assert(static_cast<int>(Element::complex64) == static_cast<int>(Dtype::complex64));
static_assert(static_cast<int>(Element::float16) == static_cast<int>(Dtype::float16));
static_assert(static_cast<int>(Reduction::average) == static_cast<int>(Op::average));
static_assert(static_cast<int>(Reduction::bit_and) == static_cast<int>(Op::bit_and));

Reason reason_for(Code code) {
  switch (code) {
    case Code::invalid_argument:
      return Reason::usage;
    case Code::mismatch:
    case Code::internal:
      return Reason::internal;
    default:
      return Reason::no_group;
  }
}

Group meet(const Options& options) {
  InitOptions init;
  if (options.transport) {
    init.variable = [&options](const std::string& name) -> std::optional<std::string> {
      if (name == "JACKAL_TRANSPORT") return options.transport;
      const char* value = std::getenv(name.c_str());
      return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    };
  }
  try {
    return jackal::init(init);
  } catch (const Error& error) {
    throw Failure(Reason::no_group, error.what());
  }
}

class JackalContender : public Contender {
public:
  explicit JackalContender(const Options& options) : options_(options), group_(meet(options)) {
    call_options_.algorithm = options.algorithm;
  }

  int rank() const override { return group_.rank(); }
  int size() const override { return group_.size(); }

  std::shared_ptr<std::byte> memory(std::size_t bytes) override {
    if (options_.buffers == Buffers::ordinary) return Contender::memory(bytes);
    const auto buffer = std::make_shared<Buffer>(group_, bytes + 1);  // never of nothing
    auto* data = static_cast<std::byte*>(buffer->data());
    std::memset(data, 0, bytes);
    return {buffer, data};
  }

  const std::byte* call(const Extent& extent, std::byte* in, std::byte* out) override {
    carry_out(extent.count, in, out);
    return out;
  }

  void barrier() override { group_.barrier(); }
  void largest(double* values, std::size_t count) override {
    group_.all_reduce(values, values, count, Dtype::float64, Op::max);
  }
  std::uint64_t total(std::uint64_t value) override {
    group_.all_reduce(&value, &value, 1, Dtype::uint64, Op::sum);
    return value;
  }

  std::string explain(const Extent& extent) const override {
    return group_.explain(name_of(options_.operation).c_str(), extent.count * bytes_of(options_.dtype));
  }

private:
  void carry_out(std::size_t count, std::byte* in, std::byte* out) {
    const auto dtype = static_cast<Dtype>(options_.dtype);
    const auto op = static_cast<Op>(options_.reduction);
    const int root = options_.root;
    switch (options_.operation) {
      case Operation::all_reduce:
        return group_.all_reduce(in, out, count, dtype, op, call_options_);
      case Operation::reduce_scatter:
        return group_.reduce_scatter(in, out, count, dtype, op, call_options_);
      case Operation::all_gather:
        return group_.all_gather(in, out, count, dtype, call_options_);
      case Operation::broadcast:
        return group_.broadcast(out, count, dtype, root, call_options_);
      case Operation::reduce:
        return group_.reduce(in, out, count, dtype, op, root, call_options_);
      case Operation::gather:
        return group_.gather(in, out, count, dtype, root, call_options_);
      case Operation::scatter:
        return group_.scatter(in, out, count, dtype, root, call_options_);
      case Operation::all_to_all:
        return group_.all_to_all(in, out, count, dtype, call_options_);
      case Operation::barrier:
        return group_.barrier(call_options_);
      case Operation::sendrecv: {
        const int next = (rank() + 1) % size();
        const int previous = (rank() + size() - 1) % size();
        return group_.sendrecv(in, count, next, out, count, previous, dtype, 0, call_options_);
      }
    }
  }

  const Options& options_;
  Group group_;
  CallOptions call_options_;
};

/// This rank among those of its host, where the starter said so.
int local_rank(const Contender& contender) {
  const char* text = std::getenv("JACKAL_LOCAL_RANK");
  if (text == nullptr) return contender.rank();
  char* end = nullptr;
  const long number = std::strtol(text, &end, 10);
  const bool sound = end != text && *end == '\0' && number >= 0 && number < contender.size();
  return sound ? static_cast<int>(number) : contender.rank();
}

}  // namespace

int with_group(const Options& options, const std::function<int(Contender&)>& run) {
  try {
    JackalContender contender(options);
    if (has_root(options.operation) && options.root >= contender.size()) {
      throw Failure(Reason::usage, "--root: there is no rank " + std::to_string(options.root) +
                                       " in a group of " + std::to_string(contender.size()));
    }
    if (options.pin) {
      if (const std::string problem = pin_to_core(local_rank(contender)); !problem.empty()) {
        throw Failure(Reason::usage, "--pin: " + problem);
      }
    }
    return run(contender);
  } catch (const Error& error) {
    throw Failure(reason_for(error.code()), error.what());
  }
}

}  // namespace jackal::bench
