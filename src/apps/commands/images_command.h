#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

// headrace images: the first images of a TFRecord file as PNG files.
void AddImagesCommand(CLI::App& app);

}  // namespace headrace::apps
