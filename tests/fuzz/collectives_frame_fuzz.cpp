// The bytes of a stranger: whatever comes, the readers neither crash nor keep more than they may.
#include <cstdint>
#include <string_view>

#include "control/frame.hpp"
#include "control/messages.hpp"

using namespace jackal::collectives;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  FrameReader reader("", kStrangerLimit);
  reader.feed(bytes.substr(0, size / 2));
  while (reader.next()) continue;
  reader.feed(bytes.substr(size / 2));
  while (reader.next()) continue;

  // What a decoder accepts, it writes again as it read it.
  if (const auto hello = Hello::decode(bytes); hello && size < 600 && hello->encode() != bytes)
    __builtin_trap();
  if (const auto welcome = Welcome::decode(bytes); welcome && welcome->encode() != bytes) __builtin_trap();
  if (const auto table = decode_table(bytes); table && encode_table(*table) != bytes) __builtin_trap();
  decode_error(bytes);

  // The same bytes as the body of a good frame come out as they are.
  FrameReader second("", size);
  second.feed(encode_frame(FrameType::table, bytes, ""));
  const auto frame = second.next();
  if (!frame || frame->body != bytes) __builtin_trap();
  return 0;
}
