// The console's files as this build has them: the page as it is, the others gzip.
#pragma once

#include <string_view>

namespace headrace::console_files {

std::string_view Page();    // text/html
std::string_view Script();  // text/javascript
std::string_view Style();   // text/css
std::string_view Icon();    // image/svg+xml
// In the paths of script and style: changes when either does.
std::string_view Digest();

}  // namespace headrace::console_files
