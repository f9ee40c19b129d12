/* A C program's view of the library: every function is called, from C, in the strictest C99. */
#include <jackal/jackal.h>
#include <stdio.h>
#include <string.h>

#define REQUIRE(condition)                                                                         \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      snprintf(problem, size, "line %d: %s; %s", __LINE__, #condition, jackal_last_error()->text); \
      return;                                                                                      \
    }                                                                                              \
  } while (0)

static void check_refusals(jackal_group* group, char* problem, size_t size) {
  jackal_call_options unset;
  int word = 0;
  jackal_handle* handle = NULL;
  memset(&unset, 0, sizeof unset);
  REQUIRE(jackal_all_reduce(NULL, &word, &word, 1, JACKAL_INT32, JACKAL_SUM, NULL) ==
          JACKAL_INVALID_ARGUMENT);
  REQUIRE(jackal_all_reduce(group, &word, &word, 1, 99, JACKAL_SUM, NULL) == JACKAL_INVALID_ARGUMENT);
  REQUIRE(jackal_last_error()->code == JACKAL_INVALID_ARGUMENT);
  REQUIRE(strstr(jackal_last_error()->text, "no such type") != NULL);
  REQUIRE(jackal_all_reduce(group, &word, &word, 1, JACKAL_INT32, 99, NULL) == JACKAL_INVALID_ARGUMENT);
  REQUIRE(jackal_barrier(group, &unset) == JACKAL_INVALID_ARGUMENT);
  REQUIRE(jackal_barrier_async(group, NULL, NULL) == JACKAL_INVALID_ARGUMENT);
  REQUIRE(jackal_all_gather_v(group, &word, &word, NULL, JACKAL_INT32, NULL) == JACKAL_INVALID_ARGUMENT);
  REQUIRE(jackal_broadcast_async(group, &word, 1, JACKAL_INT32, -1, NULL, &handle) ==
          JACKAL_INVALID_ARGUMENT);
  REQUIRE(handle == NULL);
  REQUIRE(jackal_rank(NULL) == -1 && jackal_size(NULL) == -1);
}

static void check_operations(jackal_group* group, char* problem, size_t size) {
  const int rank = jackal_rank(group);
  const int ranks = jackal_size(group);
  const int other = (rank + 1) % ranks;
  const int before = (rank + ranks - 1) % ranks;
  const size_t counts[2] = {1, 1};
  int mine[2], all[2], got = 0, done = 0;
  jackal_call_options options = JACKAL_CALL_OPTIONS_INIT;
  jackal_handle* handles[2] = {NULL, NULL};
  options.timeout_ms = 30000;
  mine[0] = rank + 1;
  mine[1] = 10 * rank;
  REQUIRE(ranks == 2);
  REQUIRE(jackal_all_reduce(group, mine, all, 2, JACKAL_INT32, JACKAL_SUM, &options) == JACKAL_OK);
  REQUIRE(all[0] == 3 && all[1] == 10);
  REQUIRE(jackal_reduce_scatter(group, mine, &got, 1, JACKAL_INT32, JACKAL_MAX, NULL) == JACKAL_OK);
  REQUIRE(got == (rank == 0 ? 2 : 10));
  REQUIRE(jackal_all_gather(group, mine, all, 1, JACKAL_INT32, NULL) == JACKAL_OK && all[0] == 1 &&
          all[1] == 2);
  REQUIRE(jackal_all_gather_v(group, mine, all, counts, JACKAL_INT32, NULL) == JACKAL_OK && all[1] == 2);
  got = rank;
  REQUIRE(jackal_broadcast(group, &got, 1, JACKAL_INT32, 1, NULL) == JACKAL_OK && got == 1);
  REQUIRE(jackal_reduce(group, mine, all, 1, JACKAL_INT32, JACKAL_PRODUCT, 0, NULL) == JACKAL_OK);
  REQUIRE(rank != 0 || all[0] == 2);
  REQUIRE(jackal_gather(group, mine, rank == 1 ? all : NULL, 1, JACKAL_INT32, 1, NULL) == JACKAL_OK);
  REQUIRE(rank != 1 || all[1] == 2);
  REQUIRE(jackal_scatter(group, rank == 0 ? mine : NULL, &got, 1, JACKAL_INT32, 0, NULL) == JACKAL_OK);
  REQUIRE(got == (rank == 0 ? 1 : 0));
  REQUIRE(jackal_all_to_all(group, mine, all, 1, JACKAL_INT32, NULL) == JACKAL_OK);
  REQUIRE(all[0] == (rank == 0 ? 1 : 0) && all[1] == (rank == 0 ? 2 : 10));
  REQUIRE(jackal_sendrecv(group, mine, 1, other, &got, 1, before, JACKAL_INT32, 4, NULL) == JACKAL_OK);
  REQUIRE(got == before + 1);
  REQUIRE(jackal_recv_async(group, &got, 1, JACKAL_INT32, before, 5, NULL, &handles[0]) == JACKAL_OK);
  REQUIRE(jackal_send_async(group, mine, 1, JACKAL_INT32, other, 5, NULL, &handles[1]) == JACKAL_OK);
  REQUIRE(jackal_wait_all(handles, 2) == JACKAL_OK);
  REQUIRE(jackal_test(handles[0], &done) == JACKAL_OK && done == 1);
  jackal_handle_free(handles[0]);
  jackal_handle_free(handles[1]);
  REQUIRE(jackal_barrier(group, NULL) == JACKAL_OK);
}

static void check_rest(jackal_group* group, char* problem, size_t size) {
  jackal_group* part = NULL;
  jackal_buffer* buffer = NULL;
  jackal_stats stats = JACKAL_STATS_INIT;
  size_t needed = 0;
  char text[8];
  REQUIRE(jackal_get_stats(group, &stats) == JACKAL_OK && stats.calls > 10);
  REQUIRE(jackal_explain(group, "all_reduce", 1024, text, sizeof text, &needed) == JACKAL_OK);
  REQUIRE(needed > sizeof text && strlen(text) == sizeof text - 1);
  REQUIRE(jackal_buffer_new(group, 100, &buffer) == JACKAL_OK);
  REQUIRE(jackal_buffer_size(buffer) == 100 && jackal_buffer_data(buffer) != NULL);
  REQUIRE(jackal_split(group, jackal_rank(group), 0, NULL, &part) == JACKAL_OK && jackal_size(part) == 1);
  jackal_free(part);
  REQUIRE(jackal_split(group, 0, 0, NULL, &part) == JACKAL_OK && jackal_size(part) == 2);
  jackal_buffer_free(buffer);
  if (jackal_rank(part) == 1) REQUIRE(jackal_abort(part) == JACKAL_OK);
  REQUIRE(jackal_barrier(part, NULL) == JACKAL_ABORTED);
  REQUIRE(jackal_last_error()->rank == 1);
  REQUIRE(strcmp(jackal_last_error()->operation, "barrier") == 0);
  jackal_free(part);
}

typedef const char* (*jackal_test_variable)(const char* name, void* context);

void c_api_check(jackal_test_variable variable, void* context, char* problem, size_t size);

/* Leaves "" in `problem` when everything is as it should be. */
void c_api_check(jackal_test_variable variable, void* context, char* problem, size_t size) {
  jackal_init_options options = JACKAL_INIT_OPTIONS_INIT;
  jackal_group* group = NULL;
  problem[0] = '\0';
  options.variable = variable;
  options.context = context;
  REQUIRE(jackal_abi_version() == JACKAL_ABI_VERSION);
  REQUIRE(strcmp(jackal_code_name(JACKAL_PEER_LOST), "peer_lost") == 0);
  REQUIRE(jackal_init(&options, NULL) == JACKAL_INVALID_ARGUMENT);
  REQUIRE(jackal_init(&options, &group) == JACKAL_OK);
  check_refusals(group, problem, size);
  if (problem[0] == '\0') check_operations(group, problem, size);
  if (problem[0] == '\0') check_rest(group, problem, size);
  jackal_free(group);
}
