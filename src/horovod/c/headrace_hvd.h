/* The C interface of Horovod, for languages other than C++: python/horovod calls it through ctypes. It has what a
 * Communicator has, and nothing that needs a compiler there: numbers, pointers, and structures of them.
 *
 * Functions that return int return 0, or the number of an error: 1 + the ErrorCode of headrace/error.h. Its text is
 * then headrace_hvd_error(), of this thread's last call. Arrays stay the caller's; what a collective reads and writes
 * must live until its handle has been waited for. */
#ifndef HEADRACE_HVD_H_
#define HEADRACE_HVD_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

const char* headrace_hvd_error(void);

int headrace_hvd_init(void);
int headrace_hvd_is_initialized(void); /* 0 or 1 */
/* Says goodbye to the other ranks, and waits until they are done, too. */
int headrace_hvd_shutdown(void);
/* This rank cannot go on: what the others wait for ends with an error that tells `reason`. */
int headrace_hvd_abort(const char* reason);

typedef struct {
  int32_t rank, size, local_rank, local_size, cross_rank, cross_size, homogeneous;
} headrace_hvd_place_t;
int headrace_hvd_place(headrace_hvd_place_t* place);

int headrace_hvd_add_process_set(const int32_t* ranks, int32_t count, int32_t* number);
int headrace_hvd_remove_process_set(int32_t number);

int headrace_hvd_start_timeline(const char* path, int mark_cycles);
int headrace_hvd_stop_timeline(void);

/* One rank's part in a collective; enumerations have the numbers of headrace/horovod.h and communicator.h. */
typedef struct {
  const char* name;
  const char* group; /* or NULL: allreduces of one group are done only together */
  const void* input;
  void* output;         /* allreduce and broadcast: of the input's size, may be the input. Otherwise NULL */
  const int64_t* shape; /* `dimensions` numbers */
  const int64_t* splits;
  double prescale, postscale;
  int32_t type, dtype, op, compression, root, process_set;
  int32_t dimensions, split_count, group_size, reserved;
} headrace_hvd_collective_t;

/* Starts them in this order. When one cannot be started, those before it are under way, and `started` says how many. */
int headrace_hvd_start(const headrace_hvd_collective_t* collectives, int32_t count, int64_t* handles, int32_t* started);
int headrace_hvd_poll(int64_t handle); /* 1: waiting for it would return at once */

/* What a collective made, beside what it wrote to `output`. */
typedef struct headrace_hvd_outcome headrace_hvd_outcome_t;
/* Uses up the handle. `outcome` may be NULL; otherwise it is freed with headrace_hvd_free. */
int headrace_hvd_wait(int64_t handle, headrace_hvd_outcome_t** outcome);
const void* headrace_hvd_outcome_data(
    const headrace_hvd_outcome_t* outcome); /* of allgather, alltoall, reducescatter */
int32_t headrace_hvd_outcome_shape(const headrace_hvd_outcome_t* outcome, const int64_t** shape); /* its dimensions */
/* Of alltoall: rows from each rank of the set. */
int32_t headrace_hvd_outcome_splits(const headrace_hvd_outcome_t* outcome, const int64_t** splits);
int32_t headrace_hvd_outcome_last_joined(const headrace_hvd_outcome_t* outcome); /* of join */
void headrace_hvd_free(headrace_hvd_outcome_t* outcome);

#ifdef __cplusplus
}
#endif

#endif
