// For Python's ctypes. Strings are UTF-8. What a function of a pipe hands out lives until the next call with that pipe;
// any other string until the next call on the same thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

extern "C" {

// `options`: pipe_path.h's JSON. Null when a dataset can be made of them, else what is wrong.
const char* headrace_pipe_check(const char* options);

struct headrace_pipe;

// Takes the channel's next epoch. Null, with the reason in *error, when that fails.
headrace_pipe* headrace_pipe_open(const char* options, const char** error);

// Some of the next records, as they have come, as one serialized tensor of strings (record_chunk.h): its size in bytes,
// 0 at the end of the epoch, -1 for *error.
int64_t headrace_pipe_read(headrace_pipe* pipe, const char** tensor, const char** error);

void headrace_pipe_close(headrace_pipe* pipe);
}
