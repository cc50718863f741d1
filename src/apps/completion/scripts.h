// What shells read to complete command lines of `headrace`; each asks `headrace complete` for the words.
#pragma once

namespace headrace::apps {

extern const char* const kBashCompletion;
extern const char* const kZshCompletion;
extern const char* const kFishCompletion;

}  // namespace headrace::apps
