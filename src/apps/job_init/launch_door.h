// The door of a host: while the ranks of a job are started and watched by mpirun on another host, this is the host's
// program. It listens at a socket that it is handed, runs the commands that come through it, and ends when the
// connection of whoever watches ends: the supervisor of the job's first host, which holds it as long as mpirun runs.
// What is asked for runs in the door's own sandbox with the door's own rights, whoever asks.
//
// usage: headrace-job-init --door    descriptor 4 is the listening socket
#pragma once

namespace headrace::job_init {

int RunDoor(int count, char** arguments);

}  // namespace headrace::job_init
