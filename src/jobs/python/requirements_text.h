// requirements.txt, as far as it has to be understood before pip reads it.
#pragma once

#include <string_view>

namespace headrace::jobs {

// Whether the text alone says what pip is to install: names with versions, and where the index is. Not when it names
// other files, directories, repositories or addresses, whose contents would have to be known, too.
bool SaysAllOfItself(std::string_view requirements);

}  // namespace headrace::jobs
