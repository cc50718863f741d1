// The agent: what mpirun starts in place of ssh. It asks the door of a host to run a command line, and ends as that
// command ends. When the agent ends first, the door ends the command.
//
// usage: headrace-job-init --agent DOORS HOST COMMAND…    DOORS: the directory that holds each host's door by its name
#pragma once

namespace headrace::job_init {

int RunAgent(int count, char** arguments);

}  // namespace headrace::job_init
