// The guard of a rank: the parent of one process of an MPI job, between mpirun's daemon and the program. It writes down
// how the rank has ended before mpirun learns of it, and takes care that a stop gives every rank its time: mpirun ends
// all ranks as soon as one has gone, so a guard that is asked to stop stays until all of them have ended. One whose
// rank ended by itself stays for up to half a second, so that the guard of a rank that was killed before can say so.
//
// usage: headrace-job-init --rank DIRECTORY PROGRAM ARGUMENTS…
//
// The record is DIRECTORY/RANK: "HOST WAITSTATUS MILLISECONDS-SINCE-1970\n".
#pragma once

namespace headrace::job_init {

int GuardRank(int count, char** arguments);

}  // namespace headrace::job_init
