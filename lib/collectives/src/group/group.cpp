// The public functions: each says what it wants in a Request or a Message, and hands it to the communicator.
#include <limits>
#include <utility>

#include "control/rendezvous.hpp"
#include "env/environment.hpp"
#include "group/communicator.hpp"
#include "jackal/collectives.h"
#include "kernels/reduce.hpp"

namespace jackal {
inline namespace v1 {
namespace {

using collectives::Communicator;
using collectives::Message;
using collectives::Operation;
using collectives::Request;
using std::chrono::milliseconds;

// Enough for machines that boot, and for the slowest rank's share of work between two calls.
constexpr milliseconds kInitTimeout = std::chrono::seconds(60);
constexpr milliseconds kCallTimeout = std::chrono::seconds(600);

// In place of a rank.
constexpr int kNobody = std::numeric_limits<int>::min();

}  // namespace

class detail::GroupState {
public:
  explicit GroupState(std::unique_ptr<Communicator> communicator) : communicator_(std::move(communicator)) {}

  Communicator& communicator() { return *communicator_; }

  // `root` and `op` where the operation has them.
  Request request(Operation operation, const void* in, void* out, std::size_t count, Dtype dtype,
                  const CallOptions& options, int root = -1, Op op = Op::sum) const {
    Request made;
    made.call.operation = operation;
    made.call.op = op;
    made.call.dtype = dtype;
    made.call.count = count;
    made.call.root = root;
    made.in = in;
    made.out = out;
    made.algorithm = options.algorithm;
    made.timeout = communicator_->timeout(options);
    if (made.chosen()) made.call.extra = collectives::extra_of({}, made.algorithm);
    return made;
  }

  Request gather_v(const void* in, void* out, std::span<const std::size_t> counts, Dtype dtype,
                   const CallOptions& options) const {
    std::size_t sum = 0;
    for (const std::size_t count : counts) sum += count;  // whether it fits is checked with all the rest
    Request made = request(Operation::all_gather_v, in, out, sum, dtype, options);
    made.counts = counts;
    made.call.extra = collectives::extra_of(counts, made.algorithm);
    return made;
  }

  // The same arguments as request().
  void run(Operation operation, const void* in, void* out, std::size_t count, Dtype dtype,
           const CallOptions& options, int root = -1, Op op = Op::sum) {
    if (communicator_->repeat({operation, op, dtype, count, root}, in, out, options)) return;
    Request made = request(operation, in, out, count, dtype, options, root, op);
    communicator_->run(made);
  }
  std::shared_ptr<Pending> start(const Request& request) { return communicator_->start(request); }

  // A send (`to`), a receive (`from`), or both.
  std::vector<std::shared_ptr<Message>> messages(const char* operation, const void* in, std::size_t in_count,
                                                 int to, void* out, std::size_t out_count, int from,
                                                 Dtype dtype, int tag, const CallOptions& options) const;

private:
  std::shared_ptr<Message> message(const char* operation, void* memory, std::size_t count, Dtype dtype,
                                   int peer, int tag, const CallOptions& options) const;

  std::unique_ptr<Communicator> communicator_;
};

std::shared_ptr<Message> detail::GroupState::message(const char* operation, void* memory, std::size_t count,
                                                     Dtype dtype, int peer, int tag,
                                                     const CallOptions& options) const {
  const auto require = [operation](bool fine, const std::string& why) {
    if (!fine)
      throw Error(Code::invalid_argument, std::string(operation) + ": " + why, -1, "", "", operation);
  };
  const std::size_t bytes = collectives::dtype_size(dtype);
  const int size = communicator_->size();
  require(bytes > 0, "no such type; the numbers are 0 (bool) to 13 (complex64)");
  require(peer >= 0 && peer < size,
          "there is no rank " + std::to_string(peer) + "; the ranks are 0 to " + std::to_string(size - 1));
  require(tag >= 0, "the tag " + std::to_string(tag) + " is negative");
  require(count == 0 || memory != nullptr, "the buffer is null");
  require(count <= std::size_t{std::numeric_limits<std::ptrdiff_t>::max()} / bytes,
          "more bytes than memory can have");
  auto made = std::make_shared<Message>();
  made->peer = peer;
  made->tag = tag;
  made->dtype = dtype;
  made->count = count;
  made->memory = static_cast<std::byte*>(memory);
  made->timeout = communicator_->timeout(options);
  return made;
}

std::vector<std::shared_ptr<Message>> detail::GroupState::messages(const char* operation, const void* in,
                                                                   std::size_t in_count, int to, void* out,
                                                                   std::size_t out_count, int from,
                                                                   Dtype dtype, int tag,
                                                                   const CallOptions& options) const {
  std::vector<std::shared_ptr<Message>> made;
  // The receive first: what is sent to oneself finds it.
  if (from != kNobody) made.push_back(message(operation, out, out_count, dtype, from, tag, options));
  if (to != kNobody) {
    made.push_back(message(operation, const_cast<void*>(in), in_count, dtype, to, tag, options));
    made.back()->send = true;
  }
  return made;
}

void Group::all_reduce(const void* in, void* out, std::size_t count, Dtype dtype, Op op,
                       const CallOptions& options) {
  state_->run(Operation::all_reduce, in, out, count, dtype, options, -1, op);
}

Handle Group::all_reduce_async(const void* in, void* out, std::size_t count, Dtype dtype, Op op,
                               const CallOptions& options) {
  return Handle(
      state_->start(state_->request(Operation::all_reduce, in, out, count, dtype, options, -1, op)));
}

void Group::reduce_scatter(const void* in, void* out, std::size_t count, Dtype dtype, Op op,
                           const CallOptions& options) {
  state_->run(Operation::reduce_scatter, in, out, count, dtype, options, -1, op);
}

Handle Group::reduce_scatter_async(const void* in, void* out, std::size_t count, Dtype dtype, Op op,
                                   const CallOptions& options) {
  return Handle(
      state_->start(state_->request(Operation::reduce_scatter, in, out, count, dtype, options, -1, op)));
}

void Group::all_gather(const void* in, void* out, std::size_t count, Dtype dtype,
                       const CallOptions& options) {
  state_->run(Operation::all_gather, in, out, count, dtype, options);
}

Handle Group::all_gather_async(const void* in, void* out, std::size_t count, Dtype dtype,
                               const CallOptions& options) {
  return Handle(state_->start(state_->request(Operation::all_gather, in, out, count, dtype, options)));
}

void Group::all_gather_v(const void* in, void* out, std::span<const std::size_t> counts, Dtype dtype,
                         const CallOptions& options) {
  Request request = state_->gather_v(in, out, counts, dtype, options);
  state_->communicator().run(request);
}

Handle Group::all_gather_v_async(const void* in, void* out, std::span<const std::size_t> counts, Dtype dtype,
                                 const CallOptions& options) {
  return Handle(state_->start(state_->gather_v(in, out, counts, dtype, options)));
}

void Group::broadcast(void* buffer, std::size_t count, Dtype dtype, int root, const CallOptions& options) {
  state_->run(Operation::broadcast, nullptr, buffer, count, dtype, options, root);
}

Handle Group::broadcast_async(void* buffer, std::size_t count, Dtype dtype, int root,
                              const CallOptions& options) {
  return Handle(
      state_->start(state_->request(Operation::broadcast, nullptr, buffer, count, dtype, options, root)));
}

void Group::reduce(const void* in, void* out, std::size_t count, Dtype dtype, Op op, int root,
                   const CallOptions& options) {
  state_->run(Operation::reduce, in, out, count, dtype, options, root, op);
}

Handle Group::reduce_async(const void* in, void* out, std::size_t count, Dtype dtype, Op op, int root,
                           const CallOptions& options) {
  return Handle(state_->start(state_->request(Operation::reduce, in, out, count, dtype, options, root, op)));
}

void Group::gather(const void* in, void* out, std::size_t count, Dtype dtype, int root,
                   const CallOptions& options) {
  state_->run(Operation::gather, in, out, count, dtype, options, root);
}

Handle Group::gather_async(const void* in, void* out, std::size_t count, Dtype dtype, int root,
                           const CallOptions& options) {
  return Handle(state_->start(state_->request(Operation::gather, in, out, count, dtype, options, root)));
}

void Group::scatter(const void* in, void* out, std::size_t count, Dtype dtype, int root,
                    const CallOptions& options) {
  state_->run(Operation::scatter, in, out, count, dtype, options, root);
}

Handle Group::scatter_async(const void* in, void* out, std::size_t count, Dtype dtype, int root,
                            const CallOptions& options) {
  return Handle(state_->start(state_->request(Operation::scatter, in, out, count, dtype, options, root)));
}

void Group::all_to_all(const void* in, void* out, std::size_t count, Dtype dtype,
                       const CallOptions& options) {
  state_->run(Operation::all_to_all, in, out, count, dtype, options);
}

Handle Group::all_to_all_async(const void* in, void* out, std::size_t count, Dtype dtype,
                               const CallOptions& options) {
  return Handle(state_->start(state_->request(Operation::all_to_all, in, out, count, dtype, options)));
}

void Group::barrier(const CallOptions& options) {
  state_->run(Operation::barrier, nullptr, nullptr, 0, Dtype::uint8, options);
}

Handle Group::barrier_async(const CallOptions& options) {
  return Handle(
      state_->start(state_->request(Operation::barrier, nullptr, nullptr, 0, Dtype::uint8, options)));
}

Group::Group(std::unique_ptr<detail::GroupState> state) : state_(std::move(state)) {}
Group::Group(Group&&) noexcept = default;
Group& Group::operator=(Group&&) noexcept = default;
Group::~Group() = default;

int Group::rank() const { return state_->communicator().rank(); }
int Group::size() const { return state_->communicator().size(); }

void Group::send(const void* buffer, std::size_t count, Dtype dtype, int to, int tag,
                 const CallOptions& options) {
  state_->communicator().run(
      state_->messages("send", buffer, count, to, nullptr, 0, kNobody, dtype, tag, options));
}

Handle Group::send_async(const void* buffer, std::size_t count, Dtype dtype, int to, int tag,
                         const CallOptions& options) {
  return Handle(state_->communicator().start(
      state_->messages("send", buffer, count, to, nullptr, 0, kNobody, dtype, tag, options)));
}

void Group::recv(void* buffer, std::size_t count, Dtype dtype, int from, int tag,
                 const CallOptions& options) {
  state_->communicator().run(
      state_->messages("recv", nullptr, 0, kNobody, buffer, count, from, dtype, tag, options));
}

Handle Group::recv_async(void* buffer, std::size_t count, Dtype dtype, int from, int tag,
                         const CallOptions& options) {
  return Handle(state_->communicator().start(
      state_->messages("recv", nullptr, 0, kNobody, buffer, count, from, dtype, tag, options)));
}

void Group::sendrecv(const void* in, std::size_t in_count, int to, void* out, std::size_t out_count, int from,
                     Dtype dtype, int tag, const CallOptions& options) {
  state_->communicator().run(
      state_->messages("sendrecv", in, in_count, to, out, out_count, from, dtype, tag, options));
}

Handle Group::sendrecv_async(const void* in, std::size_t in_count, int to, void* out, std::size_t out_count,
                             int from, Dtype dtype, int tag, const CallOptions& options) {
  return Handle(state_->communicator().start(
      state_->messages("sendrecv", in, in_count, to, out, out_count, from, dtype, tag, options)));
}

Group Group::split(int color, int key, const CallOptions& options) {
  Communicator& all = state_->communicator();
  return Group(std::make_unique<detail::GroupState>(all.split(color, key, all.timeout(options))));
}

void Group::abort() { state_->communicator().abort(); }
Stats Group::stats() const { return state_->communicator().stats(); }

std::string Group::explain(const char* operation, std::size_t bytes) const {
  return state_->communicator().explain(operation, bytes);
}

Buffer::Buffer(Group& group, std::size_t bytes)
    : memory_(group.state_->communicator().allocate(bytes)), data_(memory_.get()), size_(bytes) {}

Buffer::Buffer(Buffer&& other) noexcept
    : memory_(std::move(other.memory_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  memory_ = std::move(other.memory_);
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

Buffer::~Buffer() = default;

Group init(const InitOptions& options) {
  collectives::Environment environment =
      collectives::read_environment(options.variable ? options.variable : collectives::variable_of_process);
  collectives::Job& job = environment.job;
  const collectives::Log log(environment.log, job.rank);
  for (const std::string& skipped : environment.skipped) log.warn("not used: " + skipped);
  log.info("rank " + std::to_string(job.rank) + " of " + std::to_string(job.size) + ", as told by " +
           job.source);
  const milliseconds patience = options.timeout.value_or(environment.timeout.value_or(kInitTimeout));
  const collectives::Deadline deadline = collectives::Clock::now() + patience;
  collectives::Mesh mesh =
      job.size == 1 ? collectives::Mesh(0, 1, job.secret, log) : collectives::meet(job, patience, log);
  auto communicator =
      std::make_unique<Communicator>(Communicator::Start{std::move(mesh),
                                                         std::move(job),
                                                         std::move(environment.settings),
                                                         {},
                                                         environment.timeout.value_or(kCallTimeout)},
                                     deadline);
  log.info("connected to all ranks");
  return Group(std::make_unique<detail::GroupState>(std::move(communicator)));
}

}  // namespace v1
}  // namespace jackal
