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
#include <span>
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

/// How elements of several ranks become one. On bool_: sum and max are "or", product and min are "and".
/// Integers wrap. float16 and bfloat16 compute each pair in float32 and round once. min and max: a NaN wins.
/// bit_and and bit_or take bool_ and integers, average floating point and complex64, min and max everything
/// but complex64; any other pair is invalid_argument.
enum class Op : int { sum = 0, product, min, max, bit_and, bit_or, average };

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
  /// The algorithm to use, such as "ring"; the same on every rank. A name that is unknown, or that cannot do
  /// the operation here, is invalid_argument, with the names that can. Default: JACKAL_ALGORITHM where that
  /// can do it, else the one that is expected to be fastest ("auto").
  std::string algorithm = {};
};

/// What a group has done since it was made, as this rank counts it.
struct Stats {
  std::uint64_t calls = 0;           // operations completed, send and recv included
  std::uint64_t bytes_sent = 0;      // payload handed to other ranks
  std::uint64_t bytes_received = 0;  // payload taken from other ranks
  std::uint64_t repairs = 0;         // messages that a transport had to send again
  std::size_t memory_bytes = 0;      // what the library holds for this group, callers' buffers not counted
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

inline void check_sizes(const char* operation, std::size_t in, std::size_t out, std::size_t expected) {
  if (out != expected) refuse_sizes(operation, in, out, expected);
}

class GroupState;
class Pending;
}  // namespace detail

class Group;

/// An operation under way. Its buffers belong to the operation until wait() or test() has said that it is
/// done. Operations of one group start in the order of the calls and may be waited for in any order.
/// Destroying a handle waits for the operation and drops its error. Threads: one at a time per handle.
class JACKAL_API Handle {
public:
  Handle() noexcept;  // of nothing: done
  Handle(Handle&&) noexcept;
  Handle& operator=(Handle&&) noexcept;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle();

  /// Returns when the operation is complete; throws its Error. Again: returns or throws the same.
  void wait();
  /// True when the operation is complete; never waits. Throws its Error.
  bool test();
  /// Waits for all of them, then throws the first error in their order, if any.
  static void wait_all(std::span<Handle> handles);

private:
  friend class Group;
  explicit Handle(std::shared_ptr<detail::Pending> pending) noexcept;
  std::shared_ptr<detail::Pending> pending_;
};

/// The ranks of a job. Leaving (destruction) tells the others; those that then still wait for this rank get
/// peer_lost.
///
/// Rules of every operation. All ranks of the group make the same calls in the same order, with the same
/// count, type, operation and root (send, recv and sendrecv: only the two concerned); calls that differ are
/// `mismatch` on every rank. `count` counts elements; 0 is allowed. Buffers need no alignment. `in` and `out`
/// are the same memory or do not overlap, unless said otherwise. Results are bit-identical on all ranks. Each
/// operation also exists as NAME_async, which returns at once and proceeds without the caller's help.
class JACKAL_API Group {
public:
  Group(Group&&) noexcept;
  Group& operator=(Group&&) noexcept;
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group();

  int rank() const;  // 0 … size() - 1
  int size() const;

  /// out[i] = in[i] of all ranks, combined by `op`, for `count` elements.
  void all_reduce(const void* in, void* out, std::size_t count, Dtype dtype, Op op,
                  const CallOptions& options = {});
  void all_sum(const void* in, void* out, std::size_t count, Dtype dtype, const CallOptions& options = {}) {
    all_reduce(in, out, count, dtype, Op::sum, options);
  }
  void all_max(const void* in, void* out, std::size_t count, Dtype dtype, const CallOptions& options = {}) {
    all_reduce(in, out, count, dtype, Op::max, options);
  }
  void all_min(const void* in, void* out, std::size_t count, Dtype dtype, const CallOptions& options = {}) {
    all_reduce(in, out, count, dtype, Op::min, options);
  }

  /// out[i] = in[rank() * count + i] of all ranks, combined by `op`: size() * count elements in, `count` out.
  /// `out` may lie within `in`, as its chunk rank().
  void reduce_scatter(const void* in, void* out, std::size_t count, Dtype dtype, Op op,
                      const CallOptions& options = {});

  /// out = every rank's `in`, in rank order: `count` elements in, size() * count elements out. `in` may lie
  /// within `out`.
  void all_gather(const void* in, void* out, std::size_t count, Dtype dtype, const CallOptions& options = {});

  /// The same with counts[r] elements of rank r: counts[rank()] in, their sum out. `counts` has size()
  /// entries, the same on every rank, and is read before the call returns.
  void all_gather_v(const void* in, void* out, std::span<const std::size_t> counts, Dtype dtype,
                    const CallOptions& options = {});

  /// Every rank's `buffer` becomes that of rank `root`.
  void broadcast(void* buffer, std::size_t count, Dtype dtype, int root, const CallOptions& options = {});

  /// As all_reduce, but only rank `root` gets the result; elsewhere `out` is not touched and may be null.
  void reduce(const void* in, void* out, std::size_t count, Dtype dtype, Op op, int root,
              const CallOptions& options = {});

  /// As all_gather, but only rank `root` gets the result; elsewhere `out` is not touched and may be null.
  void gather(const void* in, void* out, std::size_t count, Dtype dtype, int root,
              const CallOptions& options = {});

  /// Rank r gets elements r * count … of `in` at `root`: size() * count in there, `count` out everywhere.
  /// Elsewhere `in` is not read and may be null.
  void scatter(const void* in, void* out, std::size_t count, Dtype dtype, int root,
               const CallOptions& options = {});

  /// Chunk r of `in` goes to rank r, which puts it into chunk rank() of its `out`: size() * count elements
  /// in and out.
  void all_to_all(const void* in, void* out, std::size_t count, Dtype dtype, const CallOptions& options = {});

  /// Returns once every rank has called it.
  void barrier(const CallOptions& options = {});

  /// From one rank to another; matched by rank, tag (0 or more) and order. send() may return before the
  /// other has called recv(); a rank may send to itself only what it receives by recv_async or sendrecv.
  /// Counts and types that differ are `mismatch` on both.
  void send(const void* buffer, std::size_t count, Dtype dtype, int to, int tag = 0,
            const CallOptions& options = {});
  void recv(void* buffer, std::size_t count, Dtype dtype, int from, int tag = 0,
            const CallOptions& options = {});
  /// Both at once, so that ranks which send to each other do not wait for each other. The buffers do not
  /// overlap.
  void sendrecv(const void* in, std::size_t in_count, int to, void* out, std::size_t out_count, int from,
                Dtype dtype, int tag = 0, const CallOptions& options = {});

  /// The ranks of equal `color` (0 or more) as a group of their own, ordered by `key`, then by rank here.
  /// Every rank of this group calls it; the new group is independent and outlives this one.
  Group split(int color, int key, const CallOptions& options = {});

  Handle all_reduce_async(const void* in, void* out, std::size_t count, Dtype dtype, Op op,
                          const CallOptions& options = {});
  Handle reduce_scatter_async(const void* in, void* out, std::size_t count, Dtype dtype, Op op,
                              const CallOptions& options = {});
  Handle all_gather_async(const void* in, void* out, std::size_t count, Dtype dtype,
                          const CallOptions& options = {});
  Handle all_gather_v_async(const void* in, void* out, std::span<const std::size_t> counts, Dtype dtype,
                            const CallOptions& options = {});
  Handle broadcast_async(void* buffer, std::size_t count, Dtype dtype, int root,
                         const CallOptions& options = {});
  Handle reduce_async(const void* in, void* out, std::size_t count, Dtype dtype, Op op, int root,
                      const CallOptions& options = {});
  Handle gather_async(const void* in, void* out, std::size_t count, Dtype dtype, int root,
                      const CallOptions& options = {});
  Handle scatter_async(const void* in, void* out, std::size_t count, Dtype dtype, int root,
                       const CallOptions& options = {});
  Handle all_to_all_async(const void* in, void* out, std::size_t count, Dtype dtype,
                          const CallOptions& options = {});
  Handle barrier_async(const CallOptions& options = {});
  Handle send_async(const void* buffer, std::size_t count, Dtype dtype, int to, int tag = 0,
                    const CallOptions& options = {});
  Handle recv_async(void* buffer, std::size_t count, Dtype dtype, int from, int tag = 0,
                    const CallOptions& options = {});
  Handle sendrecv_async(const void* in, std::size_t in_count, int to, void* out, std::size_t out_count,
                        int from, Dtype dtype, int tag = 0, const CallOptions& options = {});

  /// Ends the group on every rank: pending and later calls throw `aborted`, naming this rank. The one
  /// function that another thread may call while a call of this group is under way.
  void abort();

  Stats stats() const;

  /// How this group would carry out a call, in words: the candidates with their predicted times, and which
  /// is chosen. Local; the same on every rank.
  std::string explain(const char* operation, std::size_t bytes) const;

  /// The same for anything contiguous: std::vector, std::array, std::span. Wrong sizes are invalid_argument.
  template <class In, class Out>
  requires detail::SameElements<In, Out>
  void all_reduce(const In& in, Out&& out, Op op, const CallOptions& options = {}) {
    const std::size_t count = std::ranges::size(in);
    detail::check_sizes("all_reduce", count, std::ranges::size(out), count);
    all_reduce(std::ranges::data(in), std::ranges::data(out), count, detail::dtype_of<In>(), op, options);
  }
  template <class In, class Out>
  requires detail::SameElements<In, Out>
  void all_sum(const In& in, Out&& out, const CallOptions& options = {}) {
    all_reduce(in, out, Op::sum, options);
  }
  template <class In, class Out>
  requires detail::SameElements<In, Out>
  void all_max(const In& in, Out&& out, const CallOptions& options = {}) {
    all_reduce(in, out, Op::max, options);
  }
  template <class In, class Out>
  requires detail::SameElements<In, Out>
  void all_min(const In& in, Out&& out, const CallOptions& options = {}) {
    all_reduce(in, out, Op::min, options);
  }
  template <class In, class Out>
  requires detail::SameElements<In, Out>
  void reduce_scatter(const In& in, Out&& out, Op op, const CallOptions& options = {}) {
    const std::size_t count = std::ranges::size(out);
    const std::size_t all = std::ranges::size(in);
    if (all != count * static_cast<std::size_t>(size()))
      detail::refuse_sizes("reduce_scatter", all, count, all / static_cast<std::size_t>(size()));
    reduce_scatter(std::ranges::data(in), std::ranges::data(out), count, detail::dtype_of<In>(), op, options);
  }
  template <class In, class Out>
  requires detail::SameElements<In, Out>
  void all_gather(const In& in, Out&& out, const CallOptions& options = {}) {
    const std::size_t count = std::ranges::size(in);
    detail::check_sizes("all_gather", count, std::ranges::size(out),
                        count * static_cast<std::size_t>(size()));
    all_gather(std::ranges::data(in), std::ranges::data(out), count, detail::dtype_of<In>(), options);
  }
  template <class In, class Out>
  requires detail::SameElements<In, Out>
  void all_to_all(const In& in, Out&& out, const CallOptions& options = {}) {
    const std::size_t count = std::ranges::size(in) / static_cast<std::size_t>(size());
    detail::check_sizes("all_to_all", std::ranges::size(in), std::ranges::size(out),
                        count * static_cast<std::size_t>(size()));
    all_to_all(std::ranges::data(in), std::ranges::data(out), count, detail::dtype_of<In>(), options);
  }
  template <detail::Elements Range>
  void broadcast(Range&& buffer, int root, const CallOptions& options = {}) {
    broadcast(std::ranges::data(buffer), std::ranges::size(buffer), detail::dtype_of<Range>(), root, options);
  }
  template <detail::Elements Range>
  void send(const Range& buffer, int to, int tag = 0, const CallOptions& options = {}) {
    send(std::ranges::data(buffer), std::ranges::size(buffer), detail::dtype_of<Range>(), to, tag, options);
  }
  template <detail::Elements Range>
  void recv(Range&& buffer, int from, int tag = 0, const CallOptions& options = {}) {
    recv(std::ranges::data(buffer), std::ranges::size(buffer), detail::dtype_of<Range>(), from, tag, options);
  }

private:
  friend class Buffer;
  friend JACKAL_API Group init(const InitOptions&);
  explicit Group(std::unique_ptr<detail::GroupState> state);
  std::unique_ptr<detail::GroupState> state_;  // null only after a move
};

/// Memory that the group's transports reach without a copy: operations whose `in` and `out` lie within
/// buffers of their group are faster. Page-aligned, zeroed. Made by any rank at any time, needing no other
/// rank; may outlive the group, and must outlive the operations that use it.
class JACKAL_API Buffer {
public:
  /// Throws Error: `io` when there is no such memory.
  Buffer(Group& group, std::size_t bytes);
  Buffer(Buffer&&) noexcept;
  Buffer& operator=(Buffer&&) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  void* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }  // bytes, as asked for
  /// The whole of it as elements.
  template <class T>
  std::span<T> as() const noexcept {
    return {static_cast<T*>(data_), size_ / sizeof(T)};
  }

private:
  std::shared_ptr<void> memory_;
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Meets the other ranks and returns once all of them are connected. Takes the first complete set of
/// variables: JACKAL_*, then JACCL_* and MLX_*, then those of Open MPI, PMI, Slurm and torchrun; without any,
/// a group of one. Asked for several ranks but not told where they meet: invalid_argument.
JACKAL_API Group init(const InitOptions& options = {});

}  // namespace v1
}  // namespace jackal
