// Rubbish: files that nobody needs any more. They disappear at once, and are deleted when there is time: a tree of many
// files takes a while.
#pragma once

#include <memory>
#include <string>

namespace headrace::jobs {

class Rubbish {
 public:
  // Keeps them in `directory`, on the same file system as what will be taken. What an earlier process has left there is
  // deleted, too.
  explicit Rubbish(const std::string& directory);
  Rubbish(const Rubbish&) = delete;
  Rubbish& operator=(const Rubbish&) = delete;
  ~Rubbish();  // does not wait long: the next process goes on with what is left

  // No error when there is nothing of that name.
  void Take(const std::string& path);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace headrace::jobs
