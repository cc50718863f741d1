// File names as Python's str.format fills them in.
#pragma once

#include <string>
#include <vector>

#include "headrace/keras.h"

#include "keras/callbacks/python_spec.h"

namespace headrace::keras::internal {

// filepath.format(epoch=epoch, **logs): "{epoch:02d}-{val_loss:.2f}-{accuracy:.1%}.h5", where epoch is an int and what
// the logs hold are floats. Throws kInvalidArgument, naming the field, for an unknown name or a specification that is
// wrong in Python, too.
std::string FormatPath(const std::string& path, int epoch, const Logs& logs);

// What of that can be known before there are logs: every name but epoch stands for some float. Returns those names.
// Throws as FormatPath.
std::vector<std::string> CheckPathFormat(const std::string& path);

}  // namespace headrace::keras::internal
