// The signals that end a server: SIGINT and SIGTERM.
#pragma once

#include <signal.h>

namespace headrace::apps {

// Blocks them in this thread and in those it starts, so that only a sigwait() on the returned set sees them. Call it
// before any thread starts.
sigset_t BlockEndSignals();

}  // namespace headrace::apps
