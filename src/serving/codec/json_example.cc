#include "serving/codec/json_example.h"

#include <string>
#include <vector>

#include "serving/codec/json_text.h"

namespace headrace::serving {
namespace {

namespace ondemand = simdjson::ondemand;

// A feature's values as they come; of one kind.
class JsonFeature {
 public:
  explicit JsonFeature(std::string_view name) : name_(name) {}

  Status Add(ondemand::value value) {
    ondemand::json_type type;
    if (value.type().get(type)) type = ondemand::json_type::number;  // NaN and its like
    switch (type) {
      case ondemand::json_type::string: {
        HEADRACE_JSON(const std::string_view text, value.get_string());
        return AddBytes(std::string(text));
      }
      case ondemand::json_type::object: {
        HEADRACE_JSON(ondemand::object object, value.get_object());
        HEADRACE_ASSIGN(std::string bytes, Base64Object(std::move(object), "feature '" + name_ + "'"));
        return AddBytes(std::move(bytes));
      }
      case ondemand::json_type::boolean: {
        HEADRACE_JSON(const bool truth, value.get_bool());
        return AddInteger(truth ? 1 : 0);
      }
      case ondemand::json_type::number:
        return AddNumber(std::move(value));
      default:
        return Fail(ErrorCode::kInvalidArgument, "feature '{}': JSON Value: {} is no number, string or {{\"b64\": …}}",
                    name_, Shown(value.raw_json_token()));
    }
  }

  // An empty list is of no kind: the feature is as good as missing.
  Status Finish(data::ExampleBuilder& example) {
    const int kinds = (floats_.empty() ? 0 : 1) + (integers_.empty() ? 0 : 1) + (bytes_.empty() ? 0 : 1);
    if (kinds > 1)
      return Fail(ErrorCode::kInvalidArgument,
                  "feature '{}': its values are of several kinds, wanted all floats (1.0, not 1), integers or strings",
                  name_);
    if (!floats_.empty()) example.FloatList(name_, floats_);
    if (!integers_.empty()) example.Int64List(name_, integers_);
    if (!bytes_.empty()) example.BytesList(name_, {bytes_.begin(), bytes_.end()});
    return {};
  }

 private:
  Status AddNumber(ondemand::value value) {
    ondemand::number number;
    double special = 0;
    if (value.get_number().get(number)) {
      if (!SpecialNumber(value.raw_json_token(), special))
        return Fail(ErrorCode::kInvalidArgument, "feature '{}': JSON Value: {} is no number in range", name_,
                    Shown(value.raw_json_token()));
      floats_.push_back(static_cast<float>(special));
    } else if (number.is_double()) {
      floats_.push_back(static_cast<float>(number.get_double()));
    } else if (number.is_int64()) {
      integers_.push_back(number.get_int64());
    } else {
      return Fail(ErrorCode::kInvalidArgument, "feature '{}': {} is no int64", name_, number.get_uint64());
    }
    return {};
  }
  Status AddInteger(int64_t value) {
    integers_.push_back(value);
    return {};
  }
  Status AddBytes(std::string value) {
    bytes_.push_back(std::move(value));
    return {};
  }

  std::string name_;
  std::vector<float> floats_;
  std::vector<int64_t> integers_;
  std::vector<std::string> bytes_;
};

}  // namespace

Status AddJsonFeatures(ondemand::object features, data::ExampleBuilder& example) {
  for (auto entry : features) {
    HEADRACE_JSON(ondemand::field field, std::move(entry));
    HEADRACE_JSON(const std::string_view key, field.unescaped_key());
    JsonFeature feature(key);
    ondemand::value value = field.value();
    if (FirstOf(value) == '[') {
      HEADRACE_JSON(ondemand::array list, value.get_array());
      for (auto element : list) {
        HEADRACE_JSON(ondemand::value each, std::move(element));
        HEADRACE_TRY(feature.Add(std::move(each)));
      }
    } else {
      HEADRACE_TRY(feature.Add(std::move(value)));
    }
    HEADRACE_TRY(feature.Finish(example));
  }
  return {};
}

}  // namespace headrace::serving
