// data.h: record files, tf.Example and input pipelines, in the manner of tf.data.
//
//   auto train = data::Dataset::TFRecord({"train.tfrecords"})
//                    .repeat()
//                    .prefetch(10)
//                    .map(data::cifar10::ParseAndAugment, {.num_parallel_calls = 10, .seed = 1})
//                    .shuffle(20000 + 3 * 256, {.seed = 1})
//                    .batch(256, {.drop_remainder = true});
//   auto batches = train.MakeIterator();
//   while (auto batch = batches.Next()) Use(batch->x(), batch->y());  // uint8 [256, 32, 32, 3], float32 [256, 10]
//
// Everything here throws headrace::Error: kNotFound for a missing file, kDataLoss for bytes that are truncated or
// corrupt, kResourceExhausted for a record above the limit, kInvalidArgument for misuse.
#pragma once

#include "headrace/data/cifar10.h"  // the CIFAR-10 data set
#include "headrace/data/csv.h"      // tables in text files
#include "headrace/data/dataset.h"  // Dataset, Iterator, Pipe mode
#include "headrace/data/element.h"  // Element, Random
#include "headrace/data/example.h"  // tf.train.Example
#include "headrace/data/folders.h"  // images and texts in folders
#include "headrace/data/image.h"    // functions of images
#include "headrace/data/records.h"  // TFRecord, RecordIO, CRC32C
#include "headrace/data/series.h"   // windows of time series
#include "headrace/error.h"
#include "headrace/tensor.h"
