// Numbers and names as Python writes them, for files and messages that Python users know.
#pragma once

#include <string>

#include "headrace/keras.h"

namespace headrace::keras::internal {

// repr(float): the shortest text that reads back as the same value: 0.1, 1e-05, 2.0, nan.
std::string PythonRepr(double value);

// filepath.format(epoch=epoch, **logs): "{epoch:02d}-{val_loss:.2f}.h5". A format is that of Python without grouping
// and percent. Throws kInvalidArgument naming the field for an unknown name or a format that does not fit its value.
std::string FormatPath(const std::string& path, int epoch, const Logs& logs);

}  // namespace headrace::keras::internal
