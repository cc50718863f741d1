// What training says on the terminal: progress and messages on standard output, warnings on standard error.
#pragma once

#include <string>

namespace headrace::keras::internal {

// As it is, flushed: whoever reads a log sees it now.
void Print(const std::string& text);
// "warning: …" on a line of its own.
void Warn(const std::string& text);
// Whether Print() goes to a terminal, where a line can be drawn again in place.
bool PrintsToTerminal();

}  // namespace headrace::keras::internal
