// <jackal/jackal.h> on top of <jackal/collectives.h>. No exception passes this file.
#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "jackal/collectives.h"
#include "jackal/jackal.h"

struct jackal_group {
  jackal::Group group;
};
struct jackal_handle {
  jackal::Handle handle;
};
struct jackal_buffer {
  jackal::Buffer buffer;
};

namespace {

using jackal::CallOptions;
using jackal::Code;
using jackal::Dtype;
using jackal::Error;
using jackal::Group;
using jackal::Op;

// The last failure of a thread, with the strings that its description points to.
struct LastError {
  std::string text;
  std::string host;
  std::string link;
  std::string operation;
  jackal_error shown{sizeof(jackal_error), JACKAL_OK, -1, "", "", "", ""};
};
thread_local LastError last_error;

int code_of(Code code) { return static_cast<int>(code) + 1; }
static_assert(static_cast<int>(Code::invalid_argument) + 1 == JACKAL_INVALID_ARGUMENT);
static_assert(static_cast<int>(Code::internal) + 1 == JACKAL_INTERNAL);
static_assert(static_cast<int>(Dtype::complex64) == JACKAL_COMPLEX64);
static_assert(static_cast<int>(Op::average) == JACKAL_AVERAGE);

int remember(const Error& error) {
  LastError& last = last_error;
  last.text = error.what();
  last.host = error.host;
  last.link = error.link;
  last.operation = error.operation;
  last.shown.code = code_of(error.code());
  last.shown.rank = error.rank();
  last.shown.text = last.text.c_str();
  last.shown.host = last.host.c_str();
  last.shown.link = last.link.c_str();
  last.shown.operation = last.operation.c_str();
  return last.shown.code;
}

int remember_internal(const char* text) noexcept {
  last_error.shown = {sizeof(jackal_error), JACKAL_INTERNAL, -1, text, "", "", ""};
  return JACKAL_INTERNAL;
}

template <class Body>
int guard(Body body) noexcept {
  try {
    try {
      body();
      return JACKAL_OK;
    } catch (const Error& error) {
      return remember(error);
    } catch (const std::bad_alloc&) {
      return remember_internal("out of memory");
    } catch (const std::exception& error) {
      return remember(Error(Code::internal, error.what()));
    }
  } catch (...) {
    return remember_internal("out of memory while an error was described");
  }
}

[[noreturn]] void refuse(const std::string& what) { throw Error(Code::invalid_argument, what); }

Group& group_of(jackal_group* group) {
  if (group == nullptr) refuse("the group is null");
  return group->group;
}

Dtype dtype_of(int dtype) { return static_cast<Dtype>(dtype); }
Op op_of(int op) { return static_cast<Op>(op); }

std::span<const std::size_t> counts_of(jackal_group* group, const size_t* counts) {
  if (counts == nullptr) refuse("the counts are null");
  return {counts, static_cast<std::size_t>(group_of(group).size())};
}

// A structure of an older program is shorter than ours, but no shorter than the first version.
template <class Options>
void require_size(const Options& options, std::size_t first_version, const char* name) {
  if (options.struct_size < first_version)
    refuse(std::string(name) + ".struct_size is " + std::to_string(options.struct_size) +
           "; fill the structure in with its INIT macro");
}

CallOptions call_options(const jackal_call_options* given) {
  CallOptions options;
  if (given == nullptr) return options;
  require_size(*given, sizeof(jackal_call_options), "jackal_call_options");
  if (given->timeout_ms >= 0) options.timeout = std::chrono::milliseconds(given->timeout_ms);
  if (given->algorithm != nullptr) options.algorithm = given->algorithm;
  return options;
}

jackal::InitOptions init_options(const jackal_init_options* given) {
  jackal::InitOptions options;
  if (given == nullptr) return options;
  require_size(*given, sizeof(jackal_init_options), "jackal_init_options");
  if (given->timeout_ms >= 0) options.timeout = std::chrono::milliseconds(given->timeout_ms);
  if (given->variable == nullptr) return options;
  options.variable = [variable = given->variable,
                      context = given->context](const std::string& name) -> std::optional<std::string> {
    const char* const value = variable(name.c_str(), context);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  return options;
}

template <class T>
T& place(T* where, const char* name) {
  if (where == nullptr) refuse(std::string("there is no place for the ") + name);
  return *where;
}

template <class Start>
void start(jackal_handle** handle, Start start_it) {
  place(handle, "handle") = nullptr;
  auto made = std::make_unique<jackal_handle>();
  made->handle = start_it();
  *handle = made.release();
}

}  // namespace

extern "C" {

int jackal_abi_version(void) { return JACKAL_ABI_VERSION; }
const jackal_error* jackal_last_error(void) { return &last_error.shown; }

const char* jackal_code_name(int code) {
  if (code == JACKAL_OK) return "ok";
  if (code < JACKAL_OK || code > JACKAL_INTERNAL) return "unknown";
  return jackal::code_name(static_cast<Code>(code - 1));
}

int jackal_init(const jackal_init_options* options, jackal_group** group) {
  return guard([&] {
    place(group, "group") = nullptr;
    *group = new jackal_group{jackal::init(init_options(options))};
  });
}

void jackal_free(jackal_group* group) { delete group; }

int jackal_rank(const jackal_group* group) { return group == nullptr ? -1 : group->group.rank(); }
int jackal_size(const jackal_group* group) { return group == nullptr ? -1 : group->group.size(); }

int jackal_all_reduce(jackal_group* group, const void* in, void* out, size_t count, int dtype, int op,
                      const jackal_call_options* options) {
  return guard(
      [&] { group_of(group).all_reduce(in, out, count, dtype_of(dtype), op_of(op), call_options(options)); });
}

int jackal_all_reduce_async(jackal_group* group, const void* in, void* out, size_t count, int dtype, int op,
                            const jackal_call_options* options, jackal_handle** handle) {
  return guard([&] {
    start(handle, [&] {
      return group_of(group).all_reduce_async(in, out, count, dtype_of(dtype), op_of(op),
                                              call_options(options));
    });
  });
}

int jackal_reduce_scatter(jackal_group* group, const void* in, void* out, size_t count, int dtype, int op,
                          const jackal_call_options* options) {
  return guard([&] {
    group_of(group).reduce_scatter(in, out, count, dtype_of(dtype), op_of(op), call_options(options));
  });
}

int jackal_reduce_scatter_async(jackal_group* group, const void* in, void* out, size_t count, int dtype,
                                int op, const jackal_call_options* options, jackal_handle** handle) {
  return guard([&] {
    start(handle, [&] {
      return group_of(group).reduce_scatter_async(in, out, count, dtype_of(dtype), op_of(op),
                                                  call_options(options));
    });
  });
}

int jackal_all_gather(jackal_group* group, const void* in, void* out, size_t count, int dtype,
                      const jackal_call_options* options) {
  return guard([&] { group_of(group).all_gather(in, out, count, dtype_of(dtype), call_options(options)); });
}

int jackal_all_gather_async(jackal_group* group, const void* in, void* out, size_t count, int dtype,
                            const jackal_call_options* options, jackal_handle** handle) {
  return guard([&] {
    start(handle, [&] {
      return group_of(group).all_gather_async(in, out, count, dtype_of(dtype), call_options(options));
    });
  });
}

int jackal_all_gather_v(jackal_group* group, const void* in, void* out, const size_t* counts, int dtype,
                        const jackal_call_options* options) {
  return guard([&] {
    group_of(group).all_gather_v(in, out, counts_of(group, counts), dtype_of(dtype), call_options(options));
  });
}

int jackal_all_gather_v_async(jackal_group* group, const void* in, void* out, const size_t* counts, int dtype,
                              const jackal_call_options* options, jackal_handle** handle) {
  return guard([&] {
    start(handle, [&] {
      return group_of(group).all_gather_v_async(in, out, counts_of(group, counts), dtype_of(dtype),
                                                call_options(options));
    });
  });
}

int jackal_broadcast(jackal_group* group, void* buffer, size_t count, int dtype, int root,
                     const jackal_call_options* options) {
  return guard(
      [&] { group_of(group).broadcast(buffer, count, dtype_of(dtype), root, call_options(options)); });
}

int jackal_broadcast_async(jackal_group* group, void* buffer, size_t count, int dtype, int root,
                           const jackal_call_options* options, jackal_handle** handle) {
  return guard([&] {
    start(handle, [&] {
      return group_of(group).broadcast_async(buffer, count, dtype_of(dtype), root, call_options(options));
    });
  });
}

int jackal_reduce(jackal_group* group, const void* in, void* out, size_t count, int dtype, int op, int root,
                  const jackal_call_options* options) {
  return guard([&] {
    group_of(group).reduce(in, out, count, dtype_of(dtype), op_of(op), root, call_options(options));
  });
}

int jackal_reduce_async(jackal_group* group, const void* in, void* out, size_t count, int dtype, int op,
                        int root, const jackal_call_options* options, jackal_handle** handle) {
  return guard([&] {
    start(handle, [&] {
      return group_of(group).reduce_async(in, out, count, dtype_of(dtype), op_of(op), root,
                                          call_options(options));
    });
  });
}

int jackal_gather(jackal_group* group, const void* in, void* out, size_t count, int dtype, int root,
                  const jackal_call_options* options) {
  return guard([&] { group_of(group).gather(in, out, count, dtype_of(dtype), root, call_options(options)); });
}

int jackal_gather_async(jackal_group* group, const void* in, void* out, size_t count, int dtype, int root,
                        const jackal_call_options* options, jackal_handle** handle) {
  return guard([&] {
    start(handle, [&] {
      return group_of(group).gather_async(in, out, count, dtype_of(dtype), root, call_options(options));
    });
  });
}

int jackal_scatter(jackal_group* group, const void* in, void* out, size_t count, int dtype, int root,
                   const jackal_call_options* options) {
  return guard(
      [&] { group_of(group).scatter(in, out, count, dtype_of(dtype), root, call_options(options)); });
}

int jackal_scatter_async(jackal_group* group, const void* in, void* out, size_t count, int dtype, int root,
                         const jackal_call_options* options, jackal_handle** handle) {
  return guard([&] {
    start(handle, [&] {
      return group_of(group).scatter_async(in, out, count, dtype_of(dtype), root, call_options(options));
    });
  });
}

int jackal_all_to_all(jackal_group* group, const void* in, void* out, size_t count, int dtype,
                      const jackal_call_options* options) {
  return guard([&] { group_of(group).all_to_all(in, out, count, dtype_of(dtype), call_options(options)); });
}

int jackal_all_to_all_async(jackal_group* group, const void* in, void* out, size_t count, int dtype,
                            const jackal_call_options* options, jackal_handle** handle) {
  return guard([&] {
    start(handle, [&] {
      return group_of(group).all_to_all_async(in, out, count, dtype_of(dtype), call_options(options));
    });
  });
}

int jackal_barrier(jackal_group* group, const jackal_call_options* options) {
  return guard([&] { group_of(group).barrier(call_options(options)); });
}

int jackal_barrier_async(jackal_group* group, const jackal_call_options* options, jackal_handle** handle) {
  return guard([&] { start(handle, [&] { return group_of(group).barrier_async(call_options(options)); }); });
}

int jackal_send(jackal_group* group, const void* buffer, size_t count, int dtype, int to, int tag,
                const jackal_call_options* options) {
  return guard([&] { group_of(group).send(buffer, count, dtype_of(dtype), to, tag, call_options(options)); });
}

int jackal_send_async(jackal_group* group, const void* buffer, size_t count, int dtype, int to, int tag,
                      const jackal_call_options* options, jackal_handle** handle) {
  return guard([&] {
    start(handle, [&] {
      return group_of(group).send_async(buffer, count, dtype_of(dtype), to, tag, call_options(options));
    });
  });
}

int jackal_recv(jackal_group* group, void* buffer, size_t count, int dtype, int from, int tag,
                const jackal_call_options* options) {
  return guard(
      [&] { group_of(group).recv(buffer, count, dtype_of(dtype), from, tag, call_options(options)); });
}

int jackal_recv_async(jackal_group* group, void* buffer, size_t count, int dtype, int from, int tag,
                      const jackal_call_options* options, jackal_handle** handle) {
  return guard([&] {
    start(handle, [&] {
      return group_of(group).recv_async(buffer, count, dtype_of(dtype), from, tag, call_options(options));
    });
  });
}

int jackal_sendrecv(jackal_group* group, const void* in, size_t in_count, int to, void* out, size_t out_count,
                    int from, int dtype, int tag, const jackal_call_options* options) {
  return guard([&] {
    group_of(group).sendrecv(in, in_count, to, out, out_count, from, dtype_of(dtype), tag,
                             call_options(options));
  });
}

int jackal_sendrecv_async(jackal_group* group, const void* in, size_t in_count, int to, void* out,
                          size_t out_count, int from, int dtype, int tag, const jackal_call_options* options,
                          jackal_handle** handle) {
  return guard([&] {
    start(handle, [&] {
      return group_of(group).sendrecv_async(in, in_count, to, out, out_count, from, dtype_of(dtype), tag,
                                            call_options(options));
    });
  });
}

int jackal_wait(jackal_handle* handle) {
  return guard([&] { place(handle, "handle").handle.wait(); });
}

int jackal_test(jackal_handle* handle, int* done) {
  return guard([&] {
    int& is_done = place(done, "answer");
    is_done = 1;  // also when it throws: a failed operation is done
    is_done = place(handle, "handle").handle.test() ? 1 : 0;
  });
}

int jackal_wait_all(jackal_handle** handles, size_t count) {
  for (size_t i = 0; i < count; ++i) jackal_wait(handles[i]);
  // All are done: this only tells, and leaves the first failure as the last error.
  for (size_t i = 0; i < count; ++i)
    if (const int code = jackal_wait(handles[i]); code != JACKAL_OK) return code;
  return JACKAL_OK;
}

void jackal_handle_free(jackal_handle* handle) { delete handle; }

int jackal_split(jackal_group* group, int color, int key, const jackal_call_options* options,
                 jackal_group** part) {
  return guard([&] {
    place(part, "group") = nullptr;
    *part = new jackal_group{group_of(group).split(color, key, call_options(options))};
  });
}

int jackal_abort(jackal_group* group) {
  return guard([&] { group_of(group).abort(); });
}

int jackal_get_stats(const jackal_group* group, jackal_stats* stats) {
  return guard([&] {
    jackal_stats& into = place(stats, "stats");
    require_size(into, sizeof(jackal_stats), "jackal_stats");
    const jackal::Stats known = group_of(const_cast<jackal_group*>(group)).stats();
    into.calls = known.calls;
    into.bytes_sent = known.bytes_sent;
    into.bytes_received = known.bytes_received;
    into.repairs = known.repairs;
    into.memory_bytes = known.memory_bytes;
  });
}

int jackal_explain(const jackal_group* group, const char* operation, size_t bytes, char* text, size_t size,
                   size_t* needed) {
  return guard([&] {
    if (operation == nullptr) refuse("the operation's name is null");
    if (size > 0 && text == nullptr) refuse("there is no place for the text");
    const std::string words = group_of(const_cast<jackal_group*>(group)).explain(operation, bytes);
    if (needed != nullptr) *needed = words.size() + 1;
    if (size == 0) return;
    const std::size_t taken = std::min(words.size(), size - 1);
    std::memcpy(text, words.data(), taken);
    text[taken] = '\0';
  });
}

int jackal_buffer_new(jackal_group* group, size_t bytes, jackal_buffer** buffer) {
  return guard([&] {
    place(buffer, "buffer") = nullptr;
    *buffer = new jackal_buffer{jackal::Buffer(group_of(group), bytes)};
  });
}

void* jackal_buffer_data(const jackal_buffer* buffer) {
  return buffer == nullptr ? nullptr : buffer->buffer.data();
}
size_t jackal_buffer_size(const jackal_buffer* buffer) {
  return buffer == nullptr ? 0 : buffer->buffer.size();
}
void jackal_buffer_free(jackal_buffer* buffer) { delete buffer; }

}  // extern "C"
