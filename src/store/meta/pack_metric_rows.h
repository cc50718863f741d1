// A step of the schema's history: metric samples were rows of a table of their own, `metric_samples`, before they lay
// in blocks.
#pragma once

#include "base/result.h"

namespace headrace::store {

class Connection;

// Moves all of them into metric_blocks, and drops their table.
Status PackMetricRows(Connection& db);

}  // namespace headrace::store
