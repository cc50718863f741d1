// Profile: where a step's time goes. Off unless asked for; then each stage's passes are timed.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace headrace::keras::internal {

class Profile {
 public:
  struct Row {
    std::string name;    // "conv2d_1 backward weights"
    double flops = 0;    // of one call by the direct formula; 0 where memory decides
    double seconds = 0;  // of all calls
    long calls = 0;
  };

  // Times from construction to destruction; does nothing for a null profile.
  class Scope {
   public:
    Scope(Profile* profile, const std::string& stage, const char* pass, double flops = 0)
        : profile_(profile), stage_(stage), pass_(pass), flops_(flops) {
      if (profile_ != nullptr) start_ = Clock::now();
    }
    ~Scope() {
      if (profile_ != nullptr)
        profile_->Add(stage_, pass_, flops_, std::chrono::duration<double>(Clock::now() - start_).count());
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    using Clock = std::chrono::steady_clock;
    Profile* profile_;
    const std::string& stage_;
    const char* pass_;
    double flops_;
    Clock::time_point start_;
  };

  const std::vector<Row>& rows() const { return rows_; }
  void Clear() { rows_.clear(); }

 private:
  void Add(const std::string& stage, const char* pass, double flops, double seconds) {
    const std::string name = stage + " " + pass;
    for (Row& row : rows_) {
      if (row.name != name) continue;
      row.seconds += seconds;
      ++row.calls;
      return;
    }
    rows_.push_back({name, flops, seconds, 1});
  }
  std::vector<Row> rows_;
};

}  // namespace headrace::keras::internal
