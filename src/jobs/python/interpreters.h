// Interpreters: which Python runs a job. The configured one is the environment `default`; the owner of the machine
// registers others (environments.h), also while the server runs: the next job has them. What each interpreter has is
// found out once, and again when packages were installed.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "jobs/python/environments.h"
#include "jobs/python/framework.h"
#include "jobs/python/interpreter.h"

namespace headrace::jobs {

inline constexpr const char* kDefaultEnvironment = "default";

struct ChosenPython {
  std::string environment;    // "default", "tensorflow-2.21"
  Interpreter interpreter;    // its program is "" where there is none at all
  bool has_framework = true;  // that the image asks for, if it asks for one
  std::string remark;         // what is different from what the image asks for; "" when nothing is
};

// Any thread.
class Interpreters {
 public:
  // `configured`: a program's name or path. `data_dir`: where environments are registered; "": nowhere.
  Interpreters(std::string configured, const std::string& data_dir);
  Interpreters(const Interpreters&) = delete;
  Interpreters& operator=(const Interpreters&) = delete;

  // Of the interpreters that have the framework of the image, the one of the nearest version; for other images, and
  // where none has it, the default one.
  ChosenPython For(const std::string& image);

 private:
  struct Candidate {
    std::string environment, version;
    Interpreter interpreter;
  };
  struct Known {
    std::chrono::steady_clock::time_point since;
    std::string stamp;
    Result<Interpreter> interpreter;

    bool holds() const;
  };

  std::vector<Candidate> Candidates(const Framework& framework);
  std::vector<PythonEnvironment> Registered();
  const Result<Interpreter>& Probed(const std::string& configured);

  const std::string configured_;
  const bool has_registry_;
  const PythonEnvironments registry_;
  std::mutex mutex_;
  std::map<std::string, Known> known_;  // by the configured name
};

// The lines with which a job's log tells of its interpreter.
std::string Described(const ChosenPython& chosen);

}  // namespace headrace::jobs
