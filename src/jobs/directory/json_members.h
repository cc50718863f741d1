// The members of a struct as those of a JSON object, said once for writing and reading:
//
//   template <typename Members>
//   void Describe(Members& members, Variant& variant) {
//     members("name", variant.name);
//     members.Newer("routing", variant.routing);
//   }
//   void to_json(json& into, const Variant& variant) { WriteMembers(into, variant); }
//   void from_json(const json& from, Variant& variant) { ReadMembers(from, variant); }
//
// Reading throws json::exception.
#pragma once

#include <optional>

#include <nlohmann/json.hpp>

namespace headrace::jobs {

class MemberWriter {
 public:
  explicit MemberWriter(nlohmann::json& into) : into_(into) {}

  template <typename T>
  void operator()(const char* name, const T& value) {
    into_[name] = value;
  }
  // Absent where there is none.
  template <typename T>
  void operator()(const char* name, const std::optional<T>& value) {
    if (value) into_[name] = *value;
  }
  // Earlier builds did not write it: where it is absent, the value stays what it is.
  template <typename T>
  void Newer(const char* name, const T& value) {
    into_[name] = value;
  }

 private:
  nlohmann::json& into_;
};

class MemberReader {
 public:
  explicit MemberReader(const nlohmann::json& from) : from_(from) {}

  template <typename T>
  void operator()(const char* name, T& value) {
    from_.at(name).get_to(value);
  }
  template <typename T>
  void operator()(const char* name, std::optional<T>& value) {
    if (from_.contains(name)) value = from_.at(name).get<T>();
  }
  template <typename T>
  void Newer(const char* name, T& value) {
    if (from_.contains(name)) from_.at(name).get_to(value);
  }

 private:
  const nlohmann::json& from_;
};

template <typename T>
void WriteMembers(nlohmann::json& into, const T& value) {
  into = nlohmann::json::object();
  MemberWriter members(into);
  Describe(members, const_cast<T&>(value));  // a writer changes nothing
}

template <typename T>
void ReadMembers(const nlohmann::json& from, T& value) {
  MemberReader members(from);
  Describe(members, value);
}

}  // namespace headrace::jobs
