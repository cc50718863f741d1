#include <gtest/gtest.h>

#include "headrace/keras.h"

namespace headrace::keras {
namespace {

// The CIFAR-10 example's network.
Sequential CifarModel() {
  Sequential model;
  for (const int64_t filters : {32, 64, 128}) {
    Conv2DOptions first{.padding = "same"};
    if (filters == 32) first.input_shape = {32, 32, 3};
    model.add(Conv2D(filters, {3, 3}, first));
    model.add(BatchNormalization());
    model.add(Activation("relu"));
    model.add(Conv2D(filters, {3, 3}));
    model.add(BatchNormalization());
    model.add(Activation("relu"));
    model.add(MaxPooling2D());
    model.add(Dropout(0.2f));
  }
  model.add(Flatten());
  model.add(Dense(512));
  model.add(Activation("relu"));
  model.add(Dropout(0.5f));
  model.add(Dense(10));
  model.add(Activation("softmax"));
  return model;
}

// Lines end in the padding of their last column: '$' marks it here so that it survives editors.
std::string Marked(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? std::string("$\n") : std::string(1, c);
  return out;
}

TEST(Summary, OfTheCifarModel) {
  EXPECT_EQ(Marked(CifarModel().summary()), R"(Model: "sequential"$
_________________________________________________________________$
 Layer (type)                Output Shape              Param #   $
=================================================================$
 conv2d (Conv2D)             (None, 32, 32, 32)        896       $
                                                                 $
 batch_normalization (BatchN  (None, 32, 32, 32)       128       $
 ormalization)                                                   $
                                                                 $
 activation (Activation)     (None, 32, 32, 32)        0         $
                                                                 $
 conv2d_1 (Conv2D)           (None, 30, 30, 32)        9248      $
                                                                 $
 batch_normalization_1 (Batc  (None, 30, 30, 32)       128       $
 hNormalization)                                                 $
                                                                 $
 activation_1 (Activation)   (None, 30, 30, 32)        0         $
                                                                 $
 max_pooling2d (MaxPooling2D  (None, 15, 15, 32)       0         $
 )                                                               $
                                                                 $
 dropout (Dropout)           (None, 15, 15, 32)        0         $
                                                                 $
 conv2d_2 (Conv2D)           (None, 15, 15, 64)        18496     $
                                                                 $
 batch_normalization_2 (Batc  (None, 15, 15, 64)       256       $
 hNormalization)                                                 $
                                                                 $
 activation_2 (Activation)   (None, 15, 15, 64)        0         $
                                                                 $
 conv2d_3 (Conv2D)           (None, 13, 13, 64)        36928     $
                                                                 $
 batch_normalization_3 (Batc  (None, 13, 13, 64)       256       $
 hNormalization)                                                 $
                                                                 $
 activation_3 (Activation)   (None, 13, 13, 64)        0         $
                                                                 $
 max_pooling2d_1 (MaxPooling  (None, 6, 6, 64)         0         $
 2D)                                                             $
                                                                 $
 dropout_1 (Dropout)         (None, 6, 6, 64)          0         $
                                                                 $
 conv2d_4 (Conv2D)           (None, 6, 6, 128)         73856     $
                                                                 $
 batch_normalization_4 (Batc  (None, 6, 6, 128)        512       $
 hNormalization)                                                 $
                                                                 $
 activation_4 (Activation)   (None, 6, 6, 128)         0         $
                                                                 $
 conv2d_5 (Conv2D)           (None, 4, 4, 128)         147584    $
                                                                 $
 batch_normalization_5 (Batc  (None, 4, 4, 128)        512       $
 hNormalization)                                                 $
                                                                 $
 activation_5 (Activation)   (None, 4, 4, 128)         0         $
                                                                 $
 max_pooling2d_2 (MaxPooling  (None, 2, 2, 128)        0         $
 2D)                                                             $
                                                                 $
 dropout_2 (Dropout)         (None, 2, 2, 128)         0         $
                                                                 $
 flatten (Flatten)           (None, 512)               0         $
                                                                 $
 dense (Dense)               (None, 512)               262656    $
                                                                 $
 activation_6 (Activation)   (None, 512)               0         $
                                                                 $
 dropout_3 (Dropout)         (None, 512)               0         $
                                                                 $
 dense_1 (Dense)             (None, 10)                5130      $
                                                                 $
 activation_7 (Activation)   (None, 10)                0         $
                                                                 $
=================================================================$
Total params: 556,586$
Trainable params: 555,690$
Non-trainable params: 896$
_________________________________________________________________$
)");
}

TEST(Summary, OfAGraphShowsConnections) {
  const KerasTensor input = Input({8, 8, 3});
  const KerasTensor x = Conv2D(3, {3, 3}, {.padding = "same"})(input);
  const Model model(input, GlobalAveragePooling2D()(Add()({input, x})));
  EXPECT_EQ(Marked(model.summary()), R"(Model: "functional"$
__________________________________________________________________________________________________$
 Layer (type)                   Output Shape         Param #     Connected to                     $
==================================================================================================$
 input_1 (InputLayer)           [(None, 8, 8, 3)]    0           []                               $
                                                                                                  $
 conv2d (Conv2D)                (None, 8, 8, 3)      84          ['input_1[0][0]']                $
                                                                                                  $
 add (Add)                      (None, 8, 8, 3)      0           ['input_1[0][0]',                $
                                                                  'conv2d[0][0]']                 $
                                                                                                  $
 global_average_pooling2d (Glob  (None, 3)           0           ['add[0][0]']                    $
 alAveragePooling2D)                                                                              $
                                                                                                  $
==================================================================================================$
Total params: 84$
Trainable params: 84$
Non-trainable params: 0$
__________________________________________________________________________________________________$
)");
}

TEST(Summary, CountsFrozenLayersAsNotTrainable) {
  const Sequential model({Dense(3, {.input_shape = {4}}), Dense(2)});
  model.layers()[0].set_trainable(false);
  const std::string text = model.summary();
  EXPECT_NE(text.find("Total params: 23\nTrainable params: 8\nNon-trainable params: 15\n"), std::string::npos);
}

}  // namespace
}  // namespace headrace::keras
