#pragma once

#include <string>

namespace headrace {

// A file of the tree that this test program was built from. The tree's own path is in a source that the build writes
// (headrace_test() in cmake/HeadraceModule.cmake): were it in every test, a compiler cache could serve one clone only.
std::string InSourceDirectory(const std::string& path);

}  // namespace headrace
