// Python's format specifications, [[fill]align][sign][z][#][0][width][grouping][.precision][type], for the three types
// that a file's name can hold: int, float and str (what !s, !r and !a make). What Python 3.11 prints, in the C locale.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace headrace::keras::internal {

// All throw kInvalidArgument, with Python's reason, for a specification that is wrong for the type.
std::string FormatInt(std::string_view spec, int64_t value);
std::string FormatFloat(std::string_view spec, double value);
std::string FormatText(std::string_view spec, const std::string& value);

// repr(float): the shortest text that reads back as the same value: 0.1, 1e-05, 2.0, nan.
std::string PythonRepr(double value);

}  // namespace headrace::keras::internal
