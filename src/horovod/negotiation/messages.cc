#include "horovod/negotiation/messages.h"

#include "horovod/negotiation/wire.h"

namespace headrace::hvd {
namespace {

void Write(Writer& out, const Collective& collective) {
  out.Number(collective.type);
  out.Text(collective.name);
  out.Number(collective.dtype);
  out.Numbers(collective.shape);
  out.Number(collective.op);
  out.Number(collective.prescale);
  out.Number(collective.postscale);
  out.Number(collective.compression);
  out.Number(collective.root);
  out.Numbers(collective.splits);
  out.Number(collective.process_set);
  out.Text(collective.group);
  out.Number(collective.group_size);
}

template <typename Enum>
bool ReadEnum(Reader& in, Enum last, Enum& value) {
  value = in.Number<Enum>();
  return in.ok() && value <= last;
}

bool Read(Reader& in, Collective& collective) {
  if (!ReadEnum(in, CollectiveType::kReducescatter, collective.type)) return false;
  collective.name = in.Text();
  if (!ReadEnum(in, DataType::kBFloat16, collective.dtype)) return false;
  collective.shape = in.Numbers<int64_t>();
  if (!ReadEnum(in, ReduceOp::kProduct, collective.op)) return false;
  collective.prescale = in.Number<double>();
  collective.postscale = in.Number<double>();
  if (!ReadEnum(in, Compression::kBFloat16, collective.compression)) return false;
  collective.root = in.Number<int>();
  collective.splits = in.Numbers<int64_t>();
  collective.process_set = in.Number<int>();
  collective.group = in.Text();
  collective.group_size = in.Number<int>();
  return in.ok();
}

tl::unexpected<Error> Garbled(const char* what, size_t bytes) {
  return Fail(ErrorCode::kDataLoss,
              "{}: {} bytes that cannot be read; all ranks must run the same version of libheadrace_horovod", what,
              bytes);
}

}  // namespace

std::string Encode(const Request& request) {
  Writer out;
  out.Number(request.kind);
  Write(out, request.collective);
  out.Text(request.reason);
  return out.Take();
}

std::string Encode(const Response& response) {
  Writer out;
  out.Number(response.kind);
  Write(out, response.collective);
  out.Number(static_cast<uint64_t>(response.names.size()));
  for (const auto& name : response.names) out.Text(name);
  out.Numbers(response.counts);
  out.Numbers(response.shortcuts);
  out.Numbers(response.rows);
  out.Numbers(response.ranks);
  out.Number(response.number);
  out.Text(response.error);
  return out.Take();
}

Result<Request> DecodeRequest(std::string_view bytes) {
  Reader in(bytes);
  Request request;
  if (!ReadEnum(in, RequestKind::kTakeBack, request.kind) || !Read(in, request.collective))
    return Garbled("request", bytes.size());
  request.reason = in.Text();
  if (!in.ok() || !in.at_end()) return Garbled("request", bytes.size());
  return request;
}

Result<Response> DecodeResponse(std::string_view bytes) {
  Reader in(bytes);
  Response response;
  if (!ReadEnum(in, ResponseKind::kTakeBack, response.kind) || !Read(in, response.collective))
    return Garbled("response", bytes.size());
  for (auto names = in.Number<uint64_t>(); names > 0 && in.ok(); --names) response.names.push_back(in.Text());
  response.counts = in.Numbers<int64_t>();
  response.shortcuts = in.Numbers<int64_t>();
  response.rows = in.Numbers<int64_t>();
  response.ranks = in.Numbers<int>();
  response.number = in.Number<int>();
  response.error = in.Text();
  if (!in.ok() || !in.at_end()) return Garbled("response", bytes.size());
  return response;
}

}  // namespace headrace::hvd
