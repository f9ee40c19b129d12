// What a group knows about itself, and its memory.
#include <sys/mman.h>

#include <cerrno>

#include "group/communicator.hpp"
#include "schedules/tuner.hpp"

namespace jackal::collectives {
namespace {

constexpr std::size_t kPage = 16384;  // a multiple of every page size that we meet

std::optional<Operation> operation_of(const std::string& name) {
  if (name == "all_sum" || name == "all_min" || name == "all_max") return Operation::all_reduce;
  for (int number = static_cast<int>(Operation::all_reduce); number <= static_cast<int>(Operation::barrier);
       ++number)
    if (name == operation_name(static_cast<Operation>(number))) return static_cast<Operation>(number);
  return std::nullopt;
}

std::shared_ptr<void> allocate_alone(std::size_t bytes) {
  const std::size_t size = (std::max<std::size_t>(bytes, 1) + kPage - 1) / kPage * kPage;
  void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    throw Error(Code::io,
                "no memory for a buffer of " + std::to_string(bytes) + " bytes: " + system_text(errno));
  return {memory, [size](void* at) { ::munmap(at, size); }};
}

}  // namespace

std::string Communicator::explain(const std::string& operation, std::size_t bytes) {
  const std::optional<Operation> known = operation_of(operation);
  if (!known)
    throw Error(Code::invalid_argument, "explain: there is no operation \"" + operation + "\"", -1, "", "",
                "explain");
  if (size_ == 1) return operation + ": a group of one copies\n";
  Call call;
  call.operation = *known;
  call.count = bytes;
  call.root = 0;
  const bool shared =
      links_.one_memory && (settings_.algorithm.empty() || settings_.algorithm == kMemoryAlgorithm);
  if (shared) return links_.shm->explain(call);
  const Shape shape{*known, size_, 0};
  std::string text = collectives::explain(shape, choices_->fabric(), static_cast<std::int64_t>(bytes));
  if (!settings_.algorithm.empty())
    text += "JACKAL_ALGORITHM=" + settings_.algorithm + " is taken where it can do this\n";
  return text;
}

std::shared_ptr<void> Communicator::allocate(std::size_t bytes) {
  if (bytes > std::size_t{std::numeric_limits<std::ptrdiff_t>::max()} - kPage)
    throw Error(Code::io, "no memory for a buffer of " + std::to_string(bytes) + " bytes");
  if (size_ == 1 || links_.shm->members().size() == 1) return allocate_alone(bytes);
  std::shared_ptr<void> memory;
  in_turn([&] { memory = links_.shm->allocate(bytes); });
  return memory;
}

}  // namespace jackal::collectives
