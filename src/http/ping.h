// Ping: one GET /ping to a model server, as SageMaker asks containers. It waits for nothing: the thread that polls the
// instances drives it, so that one that hangs keeps nobody else waiting.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <poll.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/result.h"

namespace headrace::http {

class Ping {
 public:
  // To the server at that path (unix_socket.h); without an answer by the deadline it has failed.
  Ping(const std::string& unix_socket, UnixMillis deadline);

  UnixMillis deadline() const { return deadline_; }
  void AddTo(std::vector<pollfd>& watched) const;
  // Does what can be done now. What came of it, once there is something: status 200, or the error that quotes another
  // answer or tells what happened instead.
  std::optional<Status> Attend(UnixMillis now);

 private:
  void Send();
  void Receive();
  std::optional<Status> Answered() const;

  UnixMillis deadline_;
  Descriptor socket_;
  std::string unsent_, answer_;
  bool closed_ = false;  // by the other side: the answer is whole
  std::string broken_;   // why nothing will come; "" while something may
};

}  // namespace headrace::http
