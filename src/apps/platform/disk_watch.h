// DiskWatch: looks at the data directory's disk every second and says in the log when it is full and when there is room
// again. While there is room it sees to what a full disk needs: the blocks of the database's log, and `reserve`, a file
// that a start on a full disk removes to write its own few files.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "base/ticker.h"
#include "store/disk_room.h"

namespace headrace::apps {

class DiskWatch {
 public:
  // `hold`: takes the database's blocks.
  DiskWatch(const std::string& directory, std::function<Status()> hold);

  // At the start, before anything is written.
  void MakeRoomToStart();
  void Start();
  void Stop() { ticker_.Stop(); }
  // One look.
  void Look();

 private:
  void MakeReserve() const;

  const std::string reserve_;
  const store::DiskRoom room_;
  const std::function<Status()> hold_;
  bool full_ = false;
  Ticker ticker_;
};

}  // namespace headrace::apps
