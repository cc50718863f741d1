// What is left to do when the supervisor of a job has been killed: without a sandbox and without a control group nobody
// else knows all of the job's processes.
#pragma once

namespace headrace::job_init {

// From now on the end of this process's parent is heard of. What waits is interrupted then, again and again.
void WatchParent();
bool IsAbandoned();
// Kills all children, those of theirs that come to this process with their parents' death, and so on, and ends.
[[noreturn]] void EndAbandoned();

}  // namespace headrace::job_init
