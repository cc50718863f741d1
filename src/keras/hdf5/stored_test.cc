// Files as no writer of Keras makes them, written with HDF5 itself: weights that lie elsewhere, shapes that are not
// stored, chunks that inflate without end.
#include "keras/hdf5/stored.h"

#include <filesystem>
#include <fstream>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <zlib.h>

#include "base/testing/temporary_directory.h"
#include "keras/hdf5/file.h"
#include "keras/model_state.h"

namespace headrace::keras::internal {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int64_t kInputs = 3, kUnits = 4;

json OneDense(int64_t inputs, int64_t units) {
  return {{"class_name", "Sequential"},
          {"config",
           {{"name", "m"},
            {"layers",
             {{{"class_name", "InputLayer"}, {"config", {{"batch_input_shape", {nullptr, inputs}}, {"name", "in"}}}},
              {{"class_name", "Dense"}, {"config", {{"name", "d"}, {"units", units}, {"activation", "linear"}}}}}}}}};
}

class StoredTest : public testing::Test {
 protected:
  std::string Path(const std::string& name) const { return directory_ / name; }

  // A model's file whose kernel is what `make` puts into the group /model_weights/d/d.
  std::string File(const std::string& name, const std::function<void(hid_t file, hid_t group)>& make,
                   int64_t inputs = kInputs, int64_t units = kUnits) const {
    const std::string path = Path(name);
    {
      hdf5::File file = hdf5::File::Create(path, path);
      hdf5::Group root = file.Root();
      root.SetText("model_config", OneDense(inputs, units).dump());
      hdf5::Group weights = root.CreateGroup("model_weights");
      weights.SetTexts("layer_names", {"d"});
      hdf5::Group layer = weights.CreateGroup("d");
      layer.SetTexts("weight_names", {"d/kernel:0", "d/bias:0"});
      layer.Write("d/bias:0", Tensor::Zeros(DType::kFloat32, {units}));
      file.Flush();
    }
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t group = H5Gopen2(file, "/model_weights/d/d", H5P_DEFAULT);
    make(file, group);
    H5Gclose(group);
    H5Fclose(file);
    return path;
  }

  // A dataset "kernel:0" of `dims`; with `chunk`, of such chunks.
  static hid_t Dataset(hid_t group, std::vector<hsize_t> dims, std::vector<hsize_t> chunk, int deflate = 0,
                       const std::function<void(hid_t)>& properties = nullptr) {
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE),
                space = H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr);
    if (!chunk.empty()) H5Pset_chunk(plist, static_cast<int>(chunk.size()), chunk.data());
    if (deflate > 0) H5Pset_deflate(plist, static_cast<unsigned>(deflate));
    if (properties) properties(plist);
    const hid_t dataset = H5Dcreate2(group, "kernel:0", H5T_IEEE_F32LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    H5Sclose(space);
    H5Pclose(plist);
    EXPECT_GE(dataset, 0);
    return dataset;
  }

  static void WriteOnes(hid_t dataset, size_t count) {
    const std::vector<float> ones(count, 1.0f);
    H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, ones.data());
    H5Dclose(dataset);
  }

  static std::string Refusal(const std::string& path) {
    try {
      LoadModelFile(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kDataLoss) << error.message();
      return error.message();
    }
    return "it was loaded";
  }

  // load_weights() into a model of the same layers.
  static std::string WeightsRefusal(const std::string& path) {
    const Sequential model({Dense(kUnits, {.input_shape = {kInputs}})});
    try {
      LoadWeights(model.state(), path);
    } catch (const Error& error) {
      return error.message();
    }
    return "it was loaded";
  }

  TemporaryDirectory directory_;
};

TEST_F(StoredTest, PlainAndCompressedFilesLoad) {
  for (const int deflate : {0, 6}) {
    const std::string path = File("plain.h5", [&](hid_t, hid_t group) {
      WriteOnes(Dataset(group, {kInputs, kUnits}, {2, 3}, deflate,
                        [&](hid_t plist) {
                          if (deflate > 0) H5Pset_fletcher32(plist);
                        }),
                kInputs * kUnits);
    });
    const auto model = LoadModelFile(path);
    EXPECT_EQ(model->Weights()[0]->value.data<float>()[11], 1.0f);
  }
}

TEST_F(StoredTest, SoftLinksAreRefused) {
  const std::string path = File("soft.h5", [](hid_t file, hid_t group) {
    WriteOnes(Dataset(file, {kInputs, kUnits}, {}), kInputs * kUnits);
    H5Lcreate_soft("/kernel:0", group, "kernel:0", H5P_DEFAULT, H5P_DEFAULT);
  });
  const auto wanted = AllOf(HasSubstr("/model_weights/d"), HasSubstr("d/kernel:0"), HasSubstr("a soft link"));
  EXPECT_THAT(Refusal(path), wanted);
  EXPECT_THAT(WeightsRefusal(path), wanted);
}

TEST_F(StoredTest, ExternalLinksAreRefused) {
  const std::string other = File("private.h5", [](hid_t file, hid_t) {
    WriteOnes(Dataset(file, {kInputs, kUnits}, {}), kInputs * kUnits);
  });
  const std::string path = File("external.h5", [&](hid_t, hid_t group) {
    H5Lcreate_external(other.c_str(), "/kernel:0", group, "kernel:0", H5P_DEFAULT, H5P_DEFAULT);
  });
  EXPECT_THAT(Refusal(path), AllOf(HasSubstr("d/kernel:0"), HasSubstr("an external link into another file")));
  EXPECT_THAT(WeightsRefusal(path), HasSubstr("an external link"));
  // A whole group of another file's, on the way to the dataset and as the root of all weights.
  for (const char* group : {"/model_weights/d", "/model_weights"}) {
    const std::string linked = File("group.h5", [&](hid_t file, hid_t) {
      H5Ldelete(file, group, H5P_DEFAULT);
      H5Lcreate_external(other.c_str(), group, file, group, H5P_DEFAULT, H5P_DEFAULT);
    });
    EXPECT_THAT(Refusal(linked), HasSubstr("an external link into another file"));
    EXPECT_THAT(WeightsRefusal(linked), HasSubstr("an external link into another file"));
  }
}

TEST_F(StoredTest, ExternalStorageIsRefused) {
  std::ofstream(Path("note.txt")) << std::string(kInputs * kUnits * sizeof(float), 's');
  const std::string path = File("storage.h5", [&](hid_t, hid_t group) {
    H5Dclose(Dataset(group, {kInputs, kUnits}, {}, 0, [&](hid_t plist) {
      H5Pset_external(plist, Path("note.txt").c_str(), 0, kInputs * kUnits * sizeof(float));
    }));
  });
  const auto wanted = AllOf(HasSubstr("/model_weights/d"), HasSubstr("d/kernel:0"), HasSubstr("external storage"));
  EXPECT_THAT(Refusal(path), wanted);
  EXPECT_THAT(WeightsRefusal(path), wanted);
}

TEST_F(StoredTest, VirtualDatasetsAreRefused) {
  const std::string path = File("virtual.h5", [&](hid_t, hid_t group) {
    H5Dclose(Dataset(group, {kInputs, kUnits}, {}, 0, [&](hid_t plist) {
      const hsize_t dims[] = {kInputs, kUnits};
      const hid_t space = H5Screate_simple(2, dims, nullptr);
      H5Pset_virtual(plist, space, Path("private.h5").c_str(), "table", space);
      H5Sclose(space);
    }));
  });
  EXPECT_THAT(Refusal(path), AllOf(HasSubstr("d/kernel:0"), HasSubstr("a virtual dataset")));
  EXPECT_THAT(WeightsRefusal(path), HasSubstr("a virtual dataset"));
}

TEST_F(StoredTest, ShapesThatAreNotStoredAreRefused) {
  constexpr int64_t kRows = 40000, kColumns = 50000;
  for (const int deflate : {0, 1}) {
    const std::string path = File(
        "bomb.h5",
        [&](hid_t, hid_t group) {
          H5Dclose(Dataset(group, {kRows, kColumns}, {1000, 1000}, deflate));
        },
        kRows, kColumns);
    EXPECT_THAT(Refusal(path),
                AllOf(HasSubstr("d/kernel:0"), HasSubstr("declares 8000000000 bytes"), HasSubstr("stores 0 of them")));
  }
  const std::string contiguous = File(
      "contiguous.h5",
      [](hid_t, hid_t group) {
        H5Dclose(Dataset(group, {2000, 1000}, {}));
      },
      2000, 1000);
  EXPECT_THAT(Refusal(contiguous), HasSubstr("declares 8000000 bytes and the file stores 0"));
}

TEST_F(StoredTest, AnArchitectureOfMoreThanTheFileHoldsIsRefused) {
  const std::string path = File("plain.h5", [](hid_t, hid_t group) {
    WriteOnes(Dataset(group, {kInputs, kUnits}, {}), kInputs * kUnits);
  });
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  H5Adelete(file, "model_config");
  const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  const std::string config = OneDense(40000, 50000).dump();
  H5Tset_size(type, config.size());
  const hid_t attribute = H5Acreate2(file, "model_config", type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, type, config.data());
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
  H5Fclose(file);
  try {
    LoadModelFile(path);
    FAIL() << "it was loaded";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), AllOf(HasSubstr("layer d: its kernel"), HasSubstr("the 16 numbers")));
  }
}

TEST_F(StoredTest, ChunksThatInflateWithoutEndAreRefused) {
  std::string inflated(size_t{32} << 20, '\0'), bomb(compressBound(inflated.size()), '\0');
  uLongf size = bomb.size();
  ASSERT_EQ(compress2(reinterpret_cast<Bytef*>(bomb.data()), &size, reinterpret_cast<const Bytef*>(inflated.data()),
                      inflated.size(), 9),
            Z_OK);
  for (const std::string& chunk : {bomb.substr(0, size), std::string("no zlib stream")}) {
    const std::string path = File("chunk.h5", [&](hid_t, hid_t group) {
      const hid_t dataset = Dataset(group, {kInputs, kUnits}, {kInputs, kUnits}, 6);
      const hsize_t at[] = {0, 0};
      H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, at, chunk.size(), chunk.data());
      H5Dclose(dataset);
    });
    EXPECT_THAT(Refusal(path), AllOf(HasSubstr("d/kernel:0"), HasSubstr("wanted the 48 it declares")));
  }
}

TEST_F(StoredTest, OtherFiltersAreRefused) {
  const std::string path = File("scaled.h5", [](hid_t, hid_t group) {
    WriteOnes(Dataset(group, {kInputs, kUnits}, {kInputs, kUnits}, 0,
                      [](hid_t plist) { H5Pset_scaleoffset(plist, H5Z_SO_FLOAT_DSCALE, 2); }),
              kInputs * kUnits);
  });
  EXPECT_THAT(Refusal(path), HasSubstr("found the filter 6"));
}

TEST_F(StoredTest, DeepConfigurationsAreRefused) {
  const std::string path = Path("deep.h5");
  {
    hdf5::File file = hdf5::File::Create(path, path);
    file.Root().SetText("model_config", std::string(100000, '[') + std::string(100000, ']'));
    file.Flush();
  }
  EXPECT_THAT(Refusal(path), HasSubstr("attribute model_config nests 100000 deep"));
}

TEST_F(StoredTest, AFifoIsRefusedAtOnce) {
  ASSERT_EQ(::mkfifo(Path("fifo.h5").c_str(), 0600), 0);
  try {
    LoadModelFile(Path("fifo.h5"));
    FAIL() << "it was loaded";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("found a FIFO, wanted an ordinary file"));
  }
}

}  // namespace
}  // namespace headrace::keras::internal
