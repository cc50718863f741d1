// A node's attributes; one that is missing has its operation's default, as exports strip those.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "savedmodel/proto/graph.pb.h"

namespace headrace::savedmodel {

bool BoolAttribute(const tf::NodeDef& node, const char* name, bool fallback);
int64_t IntAttribute(const tf::NodeDef& node, const char* name, int64_t fallback);
float FloatAttribute(const tf::NodeDef& node, const char* name, float fallback);
std::string StringAttribute(const tf::NodeDef& node, const char* name, const char* fallback);
int64_t ListSize(const tf::NodeDef& node, const char* name);  // of a list of types
std::vector<int64_t> IntsAttribute(const tf::NodeDef& node, const char* name, std::vector<int64_t> fallback);

// {height, width} of an NHWC list [1, height, width, 1], each from 1 to 2^20; refuses other lists.
Result<std::array<int64_t, 2>> SpatialAttribute(const tf::NodeDef& node, const char* name);
// Refuses data_format other than NHWC.
Status RequireChannelsLast(const tf::NodeDef& node);

}  // namespace headrace::savedmodel
