#include <algorithm>
#include <fstream>
#include <utility>

#include "headrace/keras.h"

#include "base/result.h"
#include "keras/callbacks/callbacks.h"
#include "keras/callbacks/python_format.h"

namespace headrace::keras {
namespace {

// A field in Python's csv dialect "excel".
std::string Quoted(const std::string& field, const std::string& separator) {
  if (field.find_first_of("\"\r\n") == std::string::npos && field.find(separator) == std::string::npos) return field;
  std::string quoted = "\"";
  for (char c : field) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

class CsvLog final : public internal::BuiltInCallback {
 public:
  CsvLog(std::string filename, CSVLoggerOptions options)
      : filename_(std::move(filename)), options_(std::move(options)) {}

  void on_train_begin() override {
    keys_.clear();
    with_header_ = !options_.append || std::ifstream(filename_).peek() == std::ifstream::traits_type::eof();
    file_.open(filename_, std::ios::binary | (options_.append ? std::ios::app : std::ios::trunc));
    Check();
  }

  void on_epoch_end(int epoch, Logs& logs) override {
    if (keys_.empty()) WriteHeader(logs);
    file_ << epoch;
    for (const std::string& key : keys_) {
      const double* value = logs.Find(key);
      file_ << options_.separator << (value == nullptr ? "NA" : internal::PythonRepr(*value));
    }
    file_ << "\r\n" << std::flush;
    Check();
  }

  void on_train_end() override { file_.close(); }

 private:
  // The columns of the first epoch. Without validation there are columns for it nevertheless, as in Keras 3, so that
  // runs with and without can share a file.
  void WriteHeader(const Logs& logs) {
    for (const auto& [name, value] : logs) keys_.push_back(name);
    std::sort(keys_.begin(), keys_.end());
    const bool validated =
        std::any_of(keys_.begin(), keys_.end(), [](const std::string& key) { return key.rfind("val_", 0) == 0; });
    const size_t count = validated ? 0 : keys_.size();
    for (size_t i = 0; i < count; ++i) keys_.push_back("val_" + keys_[i]);
    if (!with_header_) return;
    file_ << "epoch";
    for (const std::string& key : keys_) file_ << options_.separator << Quoted(key, options_.separator);
    file_ << "\r\n";
  }

  void Check() {
    if (!file_) throw MakeError(ErrorCode::kNotFound, "CSVLogger: {}: cannot be written", filename_);
  }

  const std::string filename_;
  const CSVLoggerOptions options_;
  std::ofstream file_;
  std::vector<std::string> keys_;
  bool with_header_ = true;
};

}  // namespace

CallbackPtr CSVLogger(std::string filename, CSVLoggerOptions options) {
  return std::make_shared<CsvLog>(std::move(filename), std::move(options));
}

}  // namespace headrace::keras
