// MpiWorld: MPI in this process, and the ranks of MPI_COMM_WORLD as a Transport. The only code that sees mpi.h.
#pragma once

#include <memory>

#include "horovod/settings.h"
#include "horovod/transport.h"

namespace headrace::hvd {

// Whether this process was started by an MPI launcher (mpirun, srun).
bool StartedByLauncher();

// Starts MPI, unless the program has done so already. What was started here is ended by Finish (MPI_Finalize); without
// it MPI is left as it is, because its end would wait for ranks that have failed.
Result<std::unique_ptr<Transport>> StartMpi(const Settings& settings);

}  // namespace headrace::hvd
