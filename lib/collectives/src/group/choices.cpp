#include "group/choices.hpp"

#include <algorithm>
#include <bit>

namespace jackal::collectives {
namespace {

// More than a program needs that does not try out all there is; programs of many ranks are long.
constexpr std::size_t kMost = 256;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

Choices::Choices(Fabric fabric, int rank, std::string preferred, bool one_memory)
    : fabric_(std::move(fabric)), rank_(rank), preferred_(std::move(preferred)), one_memory_(one_memory) {}

const Choice& Choices::of(const Shape& shape, std::int64_t chunk_bytes, std::string_view algorithm,
                          const std::string& text) {
  // Sizes up to the next power of two share a choice.
  const auto size_class = static_cast<int>(
      std::bit_width(static_cast<std::uint64_t>(std::max<std::int64_t>(chunk_bytes, 1) - 1)));
  Key key(shape.operation, shape.root, shape.in_place, size_class, algorithm);
  const auto found = made_.find(key);
  if (found != made_.end()) return found->second;
  if (made_.size() >= kMost) made_.clear();
  const std::int64_t representative = std::int64_t{1} << std::min(size_class, 62);
  return made_.emplace(std::move(key), make(shape, representative, algorithm, text)).first->second;
}

Choice Choices::make(const Shape& shape, std::int64_t chunk_bytes, std::string_view algorithm,
                     const std::string& text) const {
  const std::vector<Prediction> ranked = rank_algorithms(shape, fabric_, chunk_bytes);
  const auto named = [&ranked](std::string_view name) {
    return std::find_if(ranked.begin(), ranked.end(),
                        [name](const Prediction& one) { return one.algorithm == name; });
  };
  auto chosen = ranked.begin();
  if (!algorithm.empty()) {
    chosen = named(algorithm);
    if (chosen == ranked.end())
      throw Error(Code::invalid_argument,
                  text + ": there is no algorithm \"" + std::string(algorithm) +
                      "\" for it here; there are: auto, " +
                      (one_memory_ ? std::string(kMemoryAlgorithm) + ", " : "") +
                      joined(algorithms_for(shape, fabric_)),
                  -1, "", "", text);
  } else if (const auto preferred = named(preferred_); preferred != ranked.end()) {
    chosen = preferred;
  }
  if (chosen == ranked.end())
    throw Error(Code::internal, text + ": no algorithm can do this on these links", -1, "", "", text);
  std::optional<Program> program = make_program(chosen->algorithm, shape, fabric_, rank_);
  if (!program)
    throw Error(Code::internal, text + ": " + chosen->algorithm + " has no program", -1, "", "", text);
  return {chosen->algorithm, chosen->slice_bytes, std::move(*program)};
}

std::vector<std::string> Choices::names(const Fabric& fabric) {
  std::vector<std::string> all;
  for (int operation = static_cast<int>(Operation::all_reduce);
       operation <= static_cast<int>(Operation::barrier); ++operation)
    for (std::string& name : algorithms_for({static_cast<Operation>(operation), fabric.ranks, 0}, fabric))
      if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(std::move(name));
  return all;
}

std::size_t Choices::memory_bytes() const {
  std::size_t sum = 0;
  for (const auto& [key, choice] : made_) sum += sizeof key + choice.program.steps.capacity() * sizeof(Step);
  return sum;
}

}  // namespace jackal::collectives
