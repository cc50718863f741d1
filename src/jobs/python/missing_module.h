// What helps when a program's import found nothing.
#pragma once

#include <string>
#include <vector>

namespace headrace::jobs {

// From what a program said last: a remedy for "No module named 'X'", in a sentence; "" when it did not fail so. `image`
// is the job's, which may say the version.
std::string RemedyForMissingModule(const std::vector<std::string>& last_lines, const std::string& image);

// What the package index calls the package of a module: "opencv-python-headless" for "cv2".
std::string PackageOfModule(const std::string& module);

}  // namespace headrace::jobs
