// Collectives between the ranks of a job: every rank calls the same operations in the same order, and every
// rank gets bit-identical results. init() finds the other ranks through the environment that `launch` (or
// another starter) has set, see jackal-environment(7).
// Threads: one thread at a time per Group; different groups are independent. Nothing here prints or exits.
#pragma once

#include <chrono>
#include <complex>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <type_traits>

#define JACKAL_API __attribute__((visibility("default")))

namespace jackal {
inline namespace v1 {

/// Element types, numbered as JACCL numbers them. bool_ is one byte, 0 or 1; float16 is IEEE binary16;
/// complex64 is two float32, real part first.
enum class Dtype : int {
  bool_ = 0,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  float16,
  bfloat16,
  float32,
  float64,
  complex64,
};

enum class Code {
  invalid_argument,  // a call or a variable that cannot be carried out; the group is still usable
  mismatch,          // ranks called different operations, types or counts
  timeout,           // a rank did not come, or not in time
  peer_lost,         // a rank's process or machine is gone, or it left the group
  link_down,         // a rank is alive but a connection to it cannot be made
  unavailable,       // something was asked for that this library or machine does not have
  unauthorized,      // the other side does not hold the job's secret
  aborted,           // a rank ended the group on purpose
  io,                // the operating system refused a socket or a file
  internal,          // a bug of ours
};

/// The name as spelled above, such as "peer_lost".
JACKAL_API const char* code_name(Code code) noexcept;

/// What every function below throws. what() says what was tried, what came back and what to do next. Except
/// for invalid_argument, an error ends the group: every rank's pending or next call throws an error of the
/// same code that names the same rank.
class JACKAL_API Error : public std::runtime_error {
public:
  Error(Code code, const std::string& what, int rank = -1, std::string host = {}, std::string link = {},
        std::string operation = {});
  Error(const Error&);
  Error& operator=(const Error&);
  ~Error() override;

  Code code() const noexcept { return code_; }
  /// The rank at fault; -1 when no single one is.
  int rank() const noexcept { return rank_; }

  std::string host;       // where that rank runs, as the host file calls it; empty when unknown
  std::string link;       // the connection concerned, "ADDRESS:PORT"; empty when none is
  std::string operation;  // such as "all_sum of 10 float32"; "init" during init()

private:
  Code code_;
  int rank_;
};

/// How init() is to work; everything has a sensible default.
struct InitOptions {
  /// The longest that init() may take. Default: JACKAL_TIMEOUT, else 60 s.
  std::optional<std::chrono::milliseconds> timeout = {};
  /// Where variables are looked up. Default: the environment of this process.
  std::function<std::optional<std::string>(const std::string& name)> variable = {};
};

struct CallOptions {
  /// The longest that the call may take. Default: JACKAL_TIMEOUT, else 600 s.
  std::optional<std::chrono::milliseconds> timeout = {};
};

namespace detail {
template <class T>
struct DtypeOf;
template <Dtype D>
using DtypeConstant = std::integral_constant<Dtype, D>;
// By size and sign, so that `long` and `long long` both find theirs.
template <class T>
requires(std::integral<T> && !std::same_as<T, bool> && sizeof(T) <= 8) struct DtypeOf<T>
    : DtypeConstant<static_cast<Dtype>(static_cast<int>(std::is_signed_v<T> ? Dtype::int8 : Dtype::uint8) +
                                       (sizeof(T) == 1   ? 0
                                        : sizeof(T) == 2 ? 1
                                        : sizeof(T) == 4 ? 2
                                                         : 3))> {
};
template <>
struct DtypeOf<bool> : DtypeConstant<Dtype::bool_> {};
template <>
struct DtypeOf<float> : DtypeConstant<Dtype::float32> {};
template <>
struct DtypeOf<double> : DtypeConstant<Dtype::float64> {};
template <>
struct DtypeOf<std::complex<float>> : DtypeConstant<Dtype::complex64> {};

template <class Range>
concept Elements = std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range> && requires {
  DtypeOf<std::remove_cv_t<std::ranges::range_value_t<Range>>>::value;
};

template <class In, class Out>
concept SameElements =
    Elements<In> && Elements<Out> && std::same_as<std::remove_cv_t<std::ranges::range_value_t<In>>,
                                                  std::remove_cv_t<std::ranges::range_value_t<Out>>>;

template <class Range>
constexpr Dtype dtype_of() {
  return DtypeOf<std::remove_cv_t<std::ranges::range_value_t<Range>>>::value;
}

[[noreturn]] JACKAL_API void refuse_sizes(const char* operation, std::size_t in, std::size_t out,
                                          std::size_t expected);

class GroupState;
}  // namespace detail

/// The ranks of a job. Leaving (destruction) tells the others; those that then still wait for this rank get
/// peer_lost.
class JACKAL_API Group {
public:
  Group(Group&&) noexcept;
  Group& operator=(Group&&) noexcept;
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group();

  int rank() const;  // 0 … size() - 1
  int size() const;

  /// out[i] = the sum over all ranks of in[i], for `count` elements. bool_ is "or", integers wrap, float16
  /// and bfloat16 add in float32 and round each sum once. `in` and `out` are the same memory or do not
  /// overlap; any alignment. `count` and the type must be the same on every rank; 0 is allowed.
  void all_sum(const void* in, void* out, std::size_t count, Dtype dtype, const CallOptions& options = {});

  /// out = every rank's `in`, in rank order: `count` elements in, size() * count elements out. `in` may lie
  /// within `out`.
  void all_gather(const void* in, void* out, std::size_t count, Dtype dtype, const CallOptions& options = {});

  /// Returns once every rank has called it.
  void barrier(const CallOptions& options = {});

  /// The same for anything contiguous: std::vector, std::array, std::span. Wrong sizes are invalid_argument.
  template <class In, class Out>
  requires detail::SameElements<In, Out>
  void all_sum(const In& in, Out&& out, const CallOptions& options = {}) {
    const std::size_t count = std::ranges::size(in);
    if (std::ranges::size(out) != count)
      detail::refuse_sizes("all_sum", count, std::ranges::size(out), count);
    all_sum(std::ranges::data(in), std::ranges::data(out), count, detail::dtype_of<In>(), options);
  }

  template <class In, class Out>
  requires detail::SameElements<In, Out>
  void all_gather(const In& in, Out&& out, const CallOptions& options = {}) {
    const std::size_t count = std::ranges::size(in);
    const std::size_t expected = count * static_cast<std::size_t>(size());
    if (std::ranges::size(out) != expected)
      detail::refuse_sizes("all_gather", count, std::ranges::size(out), expected);
    all_gather(std::ranges::data(in), std::ranges::data(out), count, detail::dtype_of<In>(), options);
  }

private:
  friend JACKAL_API Group init(const InitOptions&);
  explicit Group(std::unique_ptr<detail::GroupState> state);
  std::unique_ptr<detail::GroupState> state_;  // null only after a move
};

/// Meets the other ranks and returns once all of them are connected. Takes the first complete set of
/// variables: JACKAL_*, then JACCL_* and MLX_*, then those of Open MPI, PMI, Slurm and torchrun; without any,
/// a group of one. Asked for several ranks but not told where they meet: invalid_argument.
JACKAL_API Group init(const InitOptions& options = {});

}  // namespace v1
}  // namespace jackal
