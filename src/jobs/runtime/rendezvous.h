// Rendezvous: how the hosts of a job find each other by their framework's own means: the variables that it reads.
#pragma once

#include <map>
#include <string>

#include "jobs/directory/job_description.h"

namespace headrace::jobs {

// Ports that a job needs for it, all hosts together.
size_t PortsFor(Rendezvous rendezvous, size_t hosts);

// Of the current host; none where the job asks for none. `named`: hosts know each other by name, else they are all at
// the loopback's address.
std::map<std::string, std::string> RendezvousVariables(const JobDescription& job, bool named);

}  // namespace headrace::jobs
