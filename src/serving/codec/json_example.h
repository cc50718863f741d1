// Features in JSON, as classify and regress requests have them, as a tf.Example.
#pragma once

#include <simdjson.h>

#include "headrace/data.h"

#include "base/result.h"

namespace headrace::serving {

// {feature: value or list, …}: numbers with a fraction or an exponent are floats, others int64, as are true and false;
// strings and {"b64": …} are bytes. Adds them to `example`, in the place of what it has under their names.
Status AddJsonFeatures(simdjson::ondemand::object features, data::ExampleBuilder& example);

}  // namespace headrace::serving
