#include "group/communicator.hpp"

#include "control/bytes.hpp"
#include "kernels/reduce.hpp"

namespace jackal::collectives {
namespace {

// How long a rank that leaves waits for what it has promised to pass on to be taken.
constexpr auto kFlush = std::chrono::seconds(1);

bool may_overlap(const Request& request) { return request.in == request.out; }

}  // namespace

Communicator::Communicator(Start start, Deadline deadline)
    : rank_(start.mesh.rank()),
      size_(start.mesh.size()),
      timeout_(std::min(start.call_timeout, kLongest)),
      mesh_(std::move(start.mesh)),
      job_(std::move(start.job)),
      settings_(std::move(start.settings)) {
  try {
    connect(start, deadline);
  } catch (const Error& error) {
    mesh_.announce(error);
    throw;
  }
}

Communicator::~Communicator() {
  ringing_ = nullptr;
  progress_.reset();
  if (over_) {
    if (links_.verbs) links_.verbs->give_up();
    return;
  }
  const Deadline until = Clock::now() + kFlush;
  try {
    while (messages_->sending() && Clock::now() < until)
      if (!messages_->progress()) ::poll(nullptr, 0, 1);
  } catch (const Error& error) {
    // Nobody is there any more to throw it to.
    mesh_.log().error(error.what());
  }
  ByteWriter writer;
  writer.number(calls_);
  mesh_.say_goodbye(writer.bytes());
}

Progress& Communicator::progress() {
  if (!progress_) {
    progress_ = std::make_unique<Progress>(*this);
    ringing_ = progress_.get();
  }
  return *progress_;
}

void Communicator::run(Request& request) {
  check(request, rank_, size_);
  if (!progress_) return execute(request);
  if (started_ > 0) {
    const std::shared_ptr<Pending> pending = progress_->start(request);
    pending->wait();
    return pending->rethrow();
  }
  in_turn([&] { execute(request); });
}

std::shared_ptr<Pending> Communicator::start(const Request& request) {
  check(request, rank_, size_);
  return progress().start(request);
}

std::optional<Error> Communicator::attempt(Request& request) {
  try {
    execute(request);
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  }
}

void Communicator::execute(Request& request) {
  if (over_.load(std::memory_order_relaxed)) throw ended(request.call.text());
  if (size_ == 1) {
    if (request.chosen() && request.algorithm != kMemoryAlgorithm) choose(request);
    run_alone(request);
  } else {
    settle_input(request.call, request.counts, request.in, request.out, rank_, size_);
    carry_out(request, Signature::of(calls_ + 1, request.call));
  }
  completed_.store(completed_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void Communicator::carry_out(Request& request, const Signature& signature) {
  const std::string_view algorithm =
      request.chosen() ? request.algorithm : std::string_view(settings_.algorithm);
  const bool by_memory = links_.one_memory && (algorithm.empty() || algorithm == kMemoryAlgorithm);
  // A name that cannot be meant is refused before anybody else hears of the call.
  if (!by_memory && request.chosen()) choose(request);
  repeats_ = false;
  ++calls_;
  lookout_->begin(calls_, signature, request.call, request.timeout);
  signature_ = &signature;
  try {
    if (by_memory) {
      Call call = request.call;
      if (call.operation == Operation::split) call.operation = Operation::barrier;
      links_.shm->run({call, signature, request.in, request.out, request.counts, shm_mismatch_, *lookout_});
      const Volume volume = volume_of(request, rank_, size_);
      count(volume.sent, volume.received);
      repeats_ = links_.shm->repeats() && !request.chosen() && request.timeout == timeout_;
      if (repeats_)
        repeated_ = {request.call, signature, volume, request.in == nullptr, request.out == nullptr};
    } else {
      run_program(request, signature);
    }
  } catch (const std::exception& error) {
    fail(request.call.text(), error);
  }
  signature_ = nullptr;
  lookout_->end();
}

void Communicator::repeat(const void* in, void* out) {
  settle_input(repeated_.call, {}, in, out, rank_, size_);
  repeated_.signature.set_number(++calls_);
  lookout_->begin(calls_, repeated_.signature, repeated_.call, timeout_);
  signature_ = &repeated_.signature;
  try {
    links_.shm->repeat({repeated_.call, repeated_.signature, in, out, {}, shm_mismatch_, *lookout_});
  } catch (const std::exception& error) {
    fail(repeated_.call.text(), error);
  }
  signature_ = nullptr;
  lookout_->end();
  count(repeated_.volume.sent, repeated_.volume.received);
  completed_.store(completed_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

const Choice& Communicator::choose(const Request& request) {
  const Call& call = request.call;
  Shape shape;
  shape.operation = call.operation == Operation::split ? Operation::barrier : call.operation;
  shape.ranks = size_;
  shape.root = call.root;
  shape.in_place = may_overlap(request);
  std::size_t bytes = call.count * dtype_size(call.dtype);
  if (call.operation == Operation::all_gather_v) bytes /= static_cast<std::size_t>(size_);
  return choices_->of(shape, static_cast<std::int64_t>(bytes), request.chosen() ? request.algorithm : "",
                      call.text());
}

void Communicator::run_program(Request& request, const Signature& signature) {
  const Call& call = request.call;
  const Choice& choice = choose(request);
  warn_of_fall_back(call.operation, choice.algorithm);
  const bool barrier = call.operation == Operation::barrier || call.operation == Operation::split;
  Memory memory{request.in, request.out, call.count, request.counts};
  if (barrier) memory.count = 1;
  if (call.operation == Operation::all_gather_v)
    memory.count = request.counts[static_cast<std::size_t>(rank_)];
  const Traffic traffic = executor_->run(choice.program, memory, barrier ? Dtype::uint8 : call.dtype, call.op,
                                         choice.slice_bytes, signature.bytes, check_header_, *lookout_);
  const bool has_result = call.operation != Operation::reduce || call.root == rank_;
  if (reduces(call.operation) && call.op == Op::average && has_result)
    divide(call.dtype, request.out, call.count, size_);
  count(traffic.sent, traffic.received);
  note_memory();
}

// One thread at a time counts; others read.
void Communicator::count(std::uint64_t sent, std::uint64_t received) {
  sent_.store(sent_.load(std::memory_order_relaxed) + sent, std::memory_order_relaxed);
  received_.store(received_.load(std::memory_order_relaxed) + received, std::memory_order_relaxed);
}

void Communicator::note_memory() {
  std::size_t bytes = messages_->memory_bytes();
  if (links_.verbs) bytes += links_.verbs->memory_bytes();
  if (size_ > 1) bytes += links_.shm->memory_bytes() + executor_->memory_bytes() + choices_->memory_bytes();
  memory_.store(bytes, std::memory_order_relaxed);
}

// JACKAL_ALGORITHM is for the operations that the algorithm can do; the others go their best way.
void Communicator::warn_of_fall_back(Operation operation, const std::string& algorithm) {
  const std::uint32_t bit = 1U << static_cast<unsigned>(operation);
  const std::string& preferred = settings_.algorithm;
  if (preferred.empty() || preferred == algorithm || preferred == kMemoryAlgorithm || settings_.prefer_ring ||
      (warned_ & bit) != 0)
    return;
  warned_ |= bit;
  mesh_.log().warn("JACKAL_ALGORITHM=" + preferred + " cannot do " + operation_name(operation) +
                   " here; it uses " + algorithm);
}

void Communicator::run(const std::vector<std::shared_ptr<Message>>& messages) {
  if (started_ > 0) {
    const std::shared_ptr<Pending> pending = start(messages);
    pending->wait();
    return pending->rethrow();
  }
  in_turn([&] {
    const std::string text = messages.front()->text();
    if (over_) throw ended(text);
    try {
      attend();
      for (const std::shared_ptr<Message>& message : messages) messages_->post(message);
      complete(messages);
    } catch (const std::exception& error) {
      fail(text, error);
    }
  });
}

std::shared_ptr<Pending> Communicator::start(const std::vector<std::shared_ptr<Message>>& messages) {
  const auto pending = std::make_shared<Pending>(static_cast<int>(messages.size()));
  for (const std::shared_ptr<Message>& message : messages) message->pending = pending;
  if (over_) {
    const Error error = ended(messages.front()->text());
    for (std::size_t i = 0; i < messages.size(); ++i) pending->finish(error);
    return pending;
  }
  {
    const std::lock_guard lock(inbox_mutex_);
    inbox_.insert(inbox_.end(), messages.begin(), messages.end());
    inbox_full_ = true;
  }
  progress().ring();
  bell_.ring();
  return pending;
}

void Communicator::complete(const std::vector<std::shared_ptr<Message>>& messages) {
  Pacer pacer(*lookout_, size_ > 1 ? links_.shm->crowding() : Crowding{});
  for (const std::shared_ptr<Message>& message : messages) {
    lookout_->begin(message);
    while (!message->done) {
      if (messages_->progress()) {
        pacer.reset();
      } else if (pacer.weary(!sleepless())) {
        rest(pacer);
      } else {
        pacer.pause();
      }
    }
  }
  lookout_->end();
}

// Sleeps until something may have come.
void Communicator::rest(Pacer& pacer) {
  std::vector<pollfd> entries;
  add_descriptors(entries);
  ::poll(entries.data(), static_cast<nfds_t>(entries.size()), sleepless() ? 1 : 10);
  pacer.look();
}

void Communicator::add_descriptors(std::vector<pollfd>& entries) {
  for (const int descriptor : lookout_->wake_descriptors()) entries.push_back({descriptor, POLLIN, 0});
  messages_->add_descriptors(entries);
}

// What other threads want of whoever's turn it is.
void Communicator::attend() {
  bell_.silence();
  if (over_) {
    const std::lock_guard lock(control_);
    const Error& reason = *ended_;
    const std::string text = lookout_->text();
    throw Error(reason.code(), text.empty() ? reason.what() : text + ": " + reason.what(), reason.rank(),
                reason.host, reason.link, text.empty() ? reason.operation : text);
  }
  if (inbox_full_) take_in();
}

void Communicator::take_in() {
  std::vector<std::shared_ptr<Message>> come;
  {
    const std::lock_guard lock(inbox_mutex_);
    come.swap(inbox_);
    inbox_full_ = false;
  }
  for (const std::shared_ptr<Message>& message : come) messages_->post(message);
}

bool Communicator::busy() { return inbox_full_ || messages_->waiting() || (messages_->sending() && !over_); }

bool Communicator::tend() {
  try {
    const bool moved = messages_->progress();
    lookout_->look();
    return moved;
  } catch (const Error& error) {
    end(error);
    return true;
  }
}

Error Communicator::ended(const std::string& text) {
  const std::lock_guard lock(control_);
  return Error(ended_->code(), text + ": the group has ended: " + ended_->what(), ended_->rank(),
               ended_->host, ended_->link, text);
}

// An operation has failed: so has the group.
void Communicator::fail(const std::string& text, const std::exception& error) {
  signature_ = nullptr;
  repeats_ = false;
  lookout_->end();
  if (const auto* ours = dynamic_cast<const Error*>(&error)) {
    const Error copy = *ours;
    end(copy);
    throw Error(copy);
  }
  // Such as no memory: this rank cannot go on, so nobody can.
  const Error made(Code::internal, text + ": " + mesh_.name(rank_) + ": " + error.what(), rank_,
                   mesh_.peer(rank_).host, "", text);
  end(made);
  throw Error(made);
}

void Communicator::end(const Error& error) {
  {
    const std::lock_guard lock(control_);
    if (!ended_) {
      ended_ = error;
      over_ = true;
      mesh_.announce(error);
      mesh_.log().error(error.what());
    }
  }
  const std::lock_guard lock(inbox_mutex_);
  for (const std::shared_ptr<Message>& message : inbox_) message->pending->finish(error);
  inbox_.clear();
  inbox_full_ = false;
  messages_->fail(error);
}

void Communicator::abort() {
  {
    const std::lock_guard lock(control_);
    if (ended_) return;
    ended_ = Error(Code::aborted, mesh_.name(rank_) + " has ended the group by abort()", rank_,
                   mesh_.peer(rank_).host);
    over_ = true;
    mesh_.announce(*ended_);
  }
  bell_.ring();
  if (Progress* const progress = ringing_) progress->ring();
}

Stats Communicator::stats() const {
  Stats stats;
  stats.calls = completed_.load(std::memory_order_relaxed) + messages_->finished();
  stats.bytes_sent = sent_.load(std::memory_order_relaxed) + messages_->bytes_sent();
  stats.bytes_received = received_.load(std::memory_order_relaxed) + messages_->bytes_received();
  stats.memory_bytes = memory_.load(std::memory_order_relaxed);
  if (links_.verbs) stats.repairs = links_.verbs->repairs();
  return stats;
}

}  // namespace jackal::collectives
