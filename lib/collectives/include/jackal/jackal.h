/* Jackal's collectives for C, and for every language that can call C: what <jackal/collectives.h> offers,
 * with the same rules, which are described there. C99.
 *
 * Every function that can fail returns a jackal_code, JACKAL_OK when it did what it says; jackal_last_error()
 * then tells this thread more. Nothing throws, prints or exits. After any code but JACKAL_INVALID_ARGUMENT
 * the group has ended, and every later call on it returns the same code.
 *
 * Threads: one at a time per group and per handle, but for jackal_abort(); different groups are independent.
 *
 * Versions: functions and constants are only ever added. Structures begin with their size, so that programs
 * and libraries of different ages understand each other: fill them in with their INIT macro.
 */
#ifndef JACKAL_JACKAL_H
#define JACKAL_JACKAL_H

#include <stddef.h>
#include <stdint.h>

#define JACKAL_C_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* Of this header. A program runs with every library whose jackal_abi_version() is at least this. */
#define JACKAL_ABI_VERSION 1
JACKAL_C_API int jackal_abi_version(void);

typedef struct jackal_group jackal_group;
typedef struct jackal_handle jackal_handle;
typedef struct jackal_buffer jackal_buffer;

typedef enum jackal_code {
  JACKAL_OK = 0,
  JACKAL_INVALID_ARGUMENT =
      1,                   /* a call or a variable that cannot be carried out; the group is still usable */
  JACKAL_MISMATCH = 2,     /* ranks called different operations, types or counts */
  JACKAL_TIMEOUT = 3,      /* a rank did not come, or not in time */
  JACKAL_PEER_LOST = 4,    /* a rank's process or machine is gone, or it left the group */
  JACKAL_LINK_DOWN = 5,    /* a rank is alive but a connection to it cannot be made */
  JACKAL_UNAVAILABLE = 6,  /* something was asked for that this library or machine does not have */
  JACKAL_UNAUTHORIZED = 7, /* the other side does not hold the job's secret */
  JACKAL_ABORTED = 8,      /* a rank ended the group on purpose */
  JACKAL_IO = 9,           /* the operating system refused a socket, a file or memory */
  JACKAL_INTERNAL = 10     /* a bug of ours */
} jackal_code;

typedef enum jackal_dtype {
  JACKAL_BOOL = 0, /* one byte, 0 or 1 */
  JACKAL_INT8,
  JACKAL_INT16,
  JACKAL_INT32,
  JACKAL_INT64,
  JACKAL_UINT8,
  JACKAL_UINT16,
  JACKAL_UINT32,
  JACKAL_UINT64,
  JACKAL_FLOAT16,
  JACKAL_BFLOAT16,
  JACKAL_FLOAT32,
  JACKAL_FLOAT64,
  JACKAL_COMPLEX64 /* two float32, real part first */
} jackal_dtype;

typedef enum jackal_op {
  JACKAL_SUM = 0,
  JACKAL_PRODUCT,
  JACKAL_MIN,
  JACKAL_MAX,
  JACKAL_BIT_AND,
  JACKAL_BIT_OR,
  JACKAL_AVERAGE
} jackal_op;

/* What is known about the last call of this thread that failed. */
typedef struct jackal_error {
  size_t struct_size;
  int code;              /* jackal_code */
  int rank;              /* the rank at fault; -1 when no single one is */
  const char* text;      /* what was tried, what came back, what to do next */
  const char* host;      /* where that rank runs; "" when unknown */
  const char* link;      /* the connection concerned; "" when none is */
  const char* operation; /* such as "all_sum of 10 float32" */
} jackal_error;

/* Never null; valid until the next call of this thread that fails. */
JACKAL_C_API const jackal_error* jackal_last_error(void);
/* The name as in C++, such as "peer_lost". */
JACKAL_C_API const char* jackal_code_name(int code);

typedef struct jackal_init_options {
  size_t struct_size;
  int64_t timeout_ms; /* the longest that jackal_init() may take; negative: JACKAL_TIMEOUT, else 60 s */
  /* Where variables are looked up: null when `name` is not set. Null: the environment of this process. */
  const char* (*variable)(const char* name, void* context);
  void* context; /* handed to `variable` */
} jackal_init_options;
#define JACKAL_INIT_OPTIONS_INIT \
  { sizeof(jackal_init_options), -1, NULL, NULL }

typedef struct jackal_call_options {
  size_t struct_size;
  int64_t timeout_ms;    /* the longest that the call may take; negative: JACKAL_TIMEOUT, else 600 s */
  const char* algorithm; /* the same on every rank; null: JACKAL_ALGORITHM, else the fastest */
} jackal_call_options;
#define JACKAL_CALL_OPTIONS_INIT \
  { sizeof(jackal_call_options), -1, NULL }

typedef struct jackal_stats {
  size_t struct_size;
  uint64_t calls;          /* operations completed */
  uint64_t bytes_sent;     /* payload handed to other ranks */
  uint64_t bytes_received; /* payload taken from other ranks */
  uint64_t repairs;        /* messages that a transport had to send again */
  uint64_t memory_bytes;   /* what the library holds for this group, callers' buffers not counted */
} jackal_stats;
#define JACKAL_STATS_INIT \
  { sizeof(jackal_stats), 0, 0, 0, 0, 0 }

/* Meets the other ranks; *group is theirs from then on. `options` may be null. */
JACKAL_C_API int jackal_init(const jackal_init_options* options, jackal_group** group);
/* Leaves the group, once everything that was started is done. Null is allowed. */
JACKAL_C_API void jackal_free(jackal_group* group);

JACKAL_C_API int jackal_rank(const jackal_group* group); /* 0 ... size - 1; -1 of null */
JACKAL_C_API int jackal_size(const jackal_group* group); /* -1 of null */

/* The operations. `options` may be null. Those that end in _async return at once with *handle, to be given to
 * jackal_handle_free() in the end; the buffers belong to the operation until it is done. */

/* out[i] = in[i] of all ranks, combined by `op`, for `count` elements. */
JACKAL_C_API int jackal_all_reduce(jackal_group* group, const void* in, void* out, size_t count, int dtype,
                                   int op, const jackal_call_options* options);
JACKAL_C_API int jackal_all_reduce_async(jackal_group* group, const void* in, void* out, size_t count,
                                         int dtype, int op, const jackal_call_options* options,
                                         jackal_handle** handle);

/* out[i] = in[rank * count + i] of all ranks, combined: size * count elements in, `count` out. */
JACKAL_C_API int jackal_reduce_scatter(jackal_group* group, const void* in, void* out, size_t count,
                                       int dtype, int op, const jackal_call_options* options);
JACKAL_C_API int jackal_reduce_scatter_async(jackal_group* group, const void* in, void* out, size_t count,
                                             int dtype, int op, const jackal_call_options* options,
                                             jackal_handle** handle);

/* out = every rank's `in`, in rank order: `count` elements in, size * count out. */
JACKAL_C_API int jackal_all_gather(jackal_group* group, const void* in, void* out, size_t count, int dtype,
                                   const jackal_call_options* options);
JACKAL_C_API int jackal_all_gather_async(jackal_group* group, const void* in, void* out, size_t count,
                                         int dtype, const jackal_call_options* options,
                                         jackal_handle** handle);

/* The same with counts[r] elements of rank r; `counts` has an entry for each rank and is read before the call
   returns. */
JACKAL_C_API int jackal_all_gather_v(jackal_group* group, const void* in, void* out, const size_t* counts,
                                     int dtype, const jackal_call_options* options);
JACKAL_C_API int jackal_all_gather_v_async(jackal_group* group, const void* in, void* out,
                                           const size_t* counts, int dtype,
                                           const jackal_call_options* options, jackal_handle** handle);

/* Every rank's `buffer` becomes that of rank `root`. */
JACKAL_C_API int jackal_broadcast(jackal_group* group, void* buffer, size_t count, int dtype, int root,
                                  const jackal_call_options* options);
JACKAL_C_API int jackal_broadcast_async(jackal_group* group, void* buffer, size_t count, int dtype, int root,
                                        const jackal_call_options* options, jackal_handle** handle);

/* As all_reduce, but only rank `root` gets the result; `out` may be null elsewhere. */
JACKAL_C_API int jackal_reduce(jackal_group* group, const void* in, void* out, size_t count, int dtype,
                               int op, int root, const jackal_call_options* options);
JACKAL_C_API int jackal_reduce_async(jackal_group* group, const void* in, void* out, size_t count, int dtype,
                                     int op, int root, const jackal_call_options* options,
                                     jackal_handle** handle);

/* As all_gather, but only rank `root` gets the result; `out` may be null elsewhere. */
JACKAL_C_API int jackal_gather(jackal_group* group, const void* in, void* out, size_t count, int dtype,
                               int root, const jackal_call_options* options);
JACKAL_C_API int jackal_gather_async(jackal_group* group, const void* in, void* out, size_t count, int dtype,
                                     int root, const jackal_call_options* options, jackal_handle** handle);

/* Rank r gets elements r * count ... of `in` at `root`; `in` may be null elsewhere. */
JACKAL_C_API int jackal_scatter(jackal_group* group, const void* in, void* out, size_t count, int dtype,
                                int root, const jackal_call_options* options);
JACKAL_C_API int jackal_scatter_async(jackal_group* group, const void* in, void* out, size_t count, int dtype,
                                      int root, const jackal_call_options* options, jackal_handle** handle);

/* Chunk r of `in` goes to rank r, into chunk rank of its `out`: size * count elements in and out. */
JACKAL_C_API int jackal_all_to_all(jackal_group* group, const void* in, void* out, size_t count, int dtype,
                                   const jackal_call_options* options);
JACKAL_C_API int jackal_all_to_all_async(jackal_group* group, const void* in, void* out, size_t count,
                                         int dtype, const jackal_call_options* options,
                                         jackal_handle** handle);

/* Returns once every rank has called it. */
JACKAL_C_API int jackal_barrier(jackal_group* group, const jackal_call_options* options);
JACKAL_C_API int jackal_barrier_async(jackal_group* group, const jackal_call_options* options,
                                      jackal_handle** handle);

/* From one rank to another, matched by rank, tag (0 or more) and order. */
JACKAL_C_API int jackal_send(jackal_group* group, const void* buffer, size_t count, int dtype, int to,
                             int tag, const jackal_call_options* options);
JACKAL_C_API int jackal_send_async(jackal_group* group, const void* buffer, size_t count, int dtype, int to,
                                   int tag, const jackal_call_options* options, jackal_handle** handle);

/* The other side of jackal_send(). */
JACKAL_C_API int jackal_recv(jackal_group* group, void* buffer, size_t count, int dtype, int from, int tag,
                             const jackal_call_options* options);
JACKAL_C_API int jackal_recv_async(jackal_group* group, void* buffer, size_t count, int dtype, int from,
                                   int tag, const jackal_call_options* options, jackal_handle** handle);

/* Both at once. */
JACKAL_C_API int jackal_sendrecv(jackal_group* group, const void* in, size_t in_count, int to, void* out,
                                 size_t out_count, int from, int dtype, int tag,
                                 const jackal_call_options* options);
JACKAL_C_API int jackal_sendrecv_async(jackal_group* group, const void* in, size_t in_count, int to,
                                       void* out, size_t out_count, int from, int dtype, int tag,
                                       const jackal_call_options* options, jackal_handle** handle);

/* Returns when the operation is complete, with what became of it; again: the same. */
JACKAL_C_API int jackal_wait(jackal_handle* handle);
/* *done = 1 when the operation is complete, else 0; never waits. The code is that of the operation. */
JACKAL_C_API int jackal_test(jackal_handle* handle, int* done);
/* Waits for all of them, then returns the first failure in their order, if any. */
JACKAL_C_API int jackal_wait_all(jackal_handle** handles, size_t count);
/* Waits for the operation and forgets it. Null is allowed. */
JACKAL_C_API void jackal_handle_free(jackal_handle* handle);

/* The ranks of equal `color` (0 or more) as a group of their own, ordered by `key`, then by rank. Every rank
 * calls it; *part is independent of `group` and may outlive it. */
JACKAL_C_API int jackal_split(jackal_group* group, int color, int key, const jackal_call_options* options,
                              jackal_group** part);

/* Ends the group on every rank: pending and later calls return JACKAL_ABORTED. From any thread. */
JACKAL_C_API int jackal_abort(jackal_group* group);

/* Fills in as much of *stats as its struct_size has room for. */
JACKAL_C_API int jackal_get_stats(const jackal_group* group, jackal_stats* stats);

/* How a call would be carried out, in words: at most `size` bytes with the final 0 in `text`; *needed, where
 * not null, is the size that takes all of it. */
JACKAL_C_API int jackal_explain(const jackal_group* group, const char* operation, size_t bytes, char* text,
                                size_t size, size_t* needed);

/* Memory that the group's transports reach without a copy: page-aligned, zeroed; may outlive the group. */
JACKAL_C_API int jackal_buffer_new(jackal_group* group, size_t bytes, jackal_buffer** buffer);
JACKAL_C_API void* jackal_buffer_data(const jackal_buffer* buffer);
JACKAL_C_API size_t jackal_buffer_size(const jackal_buffer* buffer);
/* Null is allowed. */
JACKAL_C_API void jackal_buffer_free(jackal_buffer* buffer);

#ifdef __cplusplus
}
#endif

#endif
