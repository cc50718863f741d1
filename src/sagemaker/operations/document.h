// Requests to JSON documents, and documents to replies, by the names of their members: Each(value, visitor), which the
// generated files define for every structure, shows the visitor each member under the service's name for it.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "headrace/operations/send.h"

namespace headrace::operations {

using Json = nlohmann::json;

class Writer;
class Reader;

// The document of a value; texts as they are, points in time as seconds since 1970.
Json ToJson(const std::string& value);
Json ToJson(int64_t value);
Json ToJson(bool value);
Json ToJson(double value);
Json ToJson(Timestamp value);
template <typename T>
Json ToJson(const std::vector<T>& values);
template <typename T>
Json ToJson(const std::map<std::string, T>& values);
template <typename Structure>
Json ToJson(const Structure& value);

class Writer {
 public:
  explicit Writer(Json& object) : object_(object) {}

  template <typename T>
  void operator()(const char* name, const std::optional<T>& value) {
    if (value) object_[name] = ToJson(*value);
  }
  template <typename T>  // a text, a list or a map
  void operator()(const char* name, const T& value) {
    if (!value.empty()) object_[name] = ToJson(value);
  }

 private:
  Json& object_;
};

template <typename T>
Json ToJson(const std::vector<T>& values) {
  Json list = Json::array();
  for (const T& value : values) list.push_back(ToJson(value));
  return list;
}
template <typename T>
Json ToJson(const std::map<std::string, T>& values) {
  Json object = Json::object();
  for (const auto& [key, value] : values) object[key] = ToJson(value);
  return object;
}
template <typename Structure>
Json ToJson(const Structure& value) {
  Json object = Json::object();
  Writer writer(object);
  Each(value, writer);
  return object;
}

// The value of a document. Where a service answers with XML everything is text, an empty list and an empty structure,
// too. nlohmann's exceptions, and std::invalid_argument, for a document of another kind.
void Read(const Json& document, std::string& value);
void Read(const Json& document, int64_t& value);
void Read(const Json& document, bool& value);
void Read(const Json& document, double& value);
void Read(const Json& document, Timestamp& value);
template <typename T>
void Read(const Json& document, std::vector<T>& values);
template <typename T>
void Read(const Json& document, std::map<std::string, T>& values);
template <typename Structure>
void Read(const Json& document, Structure& value);

class Reader {
 public:
  explicit Reader(const Json& object) : object_(object) {}

  template <typename T>
  void operator()(const char* name, std::optional<T>& value) {
    if (const Json* found = Find(name)) Read(*found, value.emplace());
  }
  template <typename T>
  void operator()(const char* name, T& value) {
    if (const Json* found = Find(name)) Read(*found, value);
  }

 private:
  const Json* Find(const char* name) const;  // null for what is absent or null

  const Json& object_;
};

template <typename T>
void Read(const Json& document, std::vector<T>& values) {
  if (document.is_string() && document.get_ref<const std::string&>().empty()) return;
  for (const Json& one : document.get_ref<const Json::array_t&>()) {
    T value{};
    Read(one, value);
    values.push_back(std::move(value));
  }
}
template <typename T>
void Read(const Json& document, std::map<std::string, T>& values) {
  for (const auto& [key, one] : document.get_ref<const Json::object_t&>()) Read(one, values[key]);
}
template <typename Structure>
void Read(const Json& document, Structure& value) {
  Reader reader(document);
  Each(value, reader);
}

// The reply's document of a call.
Outcome<Json> SendDocument(const Session& session, const std::string& service, const char* operation,
                           const Json& request, const CallOptions& options);
// What `read` throws at a document that is not of the reply's kind becomes "InvalidReply".
Outcome<void> Checked(const char* operation, const std::function<void()>& read);

template <typename Request>
Outcome<typename Request::Reply> Send(const Session& session, const Request& request, const CallOptions& options) {
  const auto document = SendDocument(session, Request::kService, Request::kOperation, ToJson(request), options);
  if (!document) return document.error();
  typename Request::Reply reply;
  const auto read = Checked(Request::kOperation, [&] { Read(*document, reply); });
  if (!read) return read.error();
  return reply;
}

}  // namespace headrace::operations
