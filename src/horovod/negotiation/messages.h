// What ranks say to the coordinator (rank 0), and what it answers to all of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "horovod/communicator.h"

namespace headrace::hvd {

enum class RequestKind : uint8_t {
  kCollective,
  kAddProcessSet,
  kRemoveProcessSet,
  kShutdown,
  kAbort,    // this rank cannot go on: nobody shall
  kTold,     // the program of this rank knows why the group was aborted
  kTakeBack  // this rank uses the shortcut of a name no more
};

// One rank's wish. Of kAddProcessSet, `collective.shape` holds the ranks; of kRemoveProcessSet, `process_set` the set;
// of kTakeBack, `name` the shortcut's and `shape` the number of rounds that this rank has begun on it.
struct Request {
  RequestKind kind = RequestKind::kCollective;
  Collective collective = {};  // without its memory
  std::string reason = {};     // of kAbort
};

enum class ResponseKind : uint8_t {
  kCollective,
  kAddProcessSet,
  kRemoveProcessSet,
  kShutdown,
  kError,
  kEnd,
  kAbort,
  kParted,   // the programs of all ranks know why the group was aborted
  kTakeBack  // the shortcuts of `names`: all ranks end the rounds up to `counts`, and none the next one
};

// What all ranks do next, in the order of the responses.
struct Response {
  ResponseKind kind = ResponseKind::kCollective;
  Collective collective;           // what is common to all ranks; its name and shape are not used
  std::vector<std::string> names;  // several: allreduces that travel as one
  std::vector<int64_t> counts;     // elements of each of `names`
  std::vector<int64_t> shortcuts;  // of each of `names`: the place of one that it has from now on, or -1
  std::vector<int64_t> rows;       // by member of the set: allgather: its first dimension; alltoall: its splits
  std::vector<int> ranks;          // of kAddProcessSet; of kShutdown: who called it
  int number = 0;                  // of kAddProcessSet: the set; of join: the rank that joined last
  std::string error;               // of kError, for all of `names`; of kEnd and kAbort, for all that any rank waits for
};

std::string Encode(const Request& request);
std::string Encode(const Response& response);
Result<Request> DecodeRequest(std::string_view bytes);
Result<Response> DecodeResponse(std::string_view bytes);

}  // namespace headrace::hvd
