"""A gRPC server of plain bytes, or a client of one: `serve`, or `ask ADDRESS CA`. Without a CA in the clear."""

import sys
from concurrent import futures

import grpc


def upper(request, context):
    context.set_trailing_metadata((("x-sum", "7"),))
    return request.upper()


def count(request, context):
    for at in range(int(request)):
        yield str(at).encode()


def join(requests, context):
    return b",".join(requests)


def echo(requests, context):
    yield from requests


def fail(request, context):
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not today")


def serve():
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Calls", {
        "Upper": grpc.unary_unary_rpc_method_handler(upper),
        "Count": grpc.unary_stream_rpc_method_handler(count),
        "Join": grpc.stream_unary_rpc_method_handler(join),
        "Echo": grpc.stream_stream_rpc_method_handler(echo),
        "Fail": grpc.unary_unary_rpc_method_handler(fail),
    }),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


def ask(address, ca=None):
    options = [("grpc.default_authority", "grpc.shop.test"), ("grpc.ssl_target_name_override", "grpc.shop.test")]
    if ca:
        with open(ca, "rb") as file:
            channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(file.read()), options)
    else:
        channel = grpc.insecure_channel(address, options[:1])
    answer, call = channel.unary_unary("/test.Calls/Upper").with_call(b"hello", timeout=10)
    assert answer == b"HELLO" and ("x-sum", "7") in call.trailing_metadata(), call.trailing_metadata()
    large = bytes(3_000_000)
    assert channel.unary_unary("/test.Calls/Upper")(large, timeout=10) == large
    counted = channel.unary_stream("/test.Calls/Count")(b"500", timeout=10)
    assert [int(one) for one in counted] == list(range(500))
    parts = [str(at).encode() for at in range(500)]
    assert channel.stream_unary("/test.Calls/Join")(iter(parts), timeout=10) == b",".join(parts)
    assert list(channel.stream_stream("/test.Calls/Echo")(iter(parts), timeout=10)) == parts
    for method, code in (("Fail", grpc.StatusCode.FAILED_PRECONDITION), ("None", grpc.StatusCode.UNIMPLEMENTED)):
        try:
            channel.unary_unary(f"/test.Calls/{method}")(b"", timeout=10)
            raise AssertionError(f"{method} was answered")
        except grpc.RpcError as error:
            assert error.code() == code, error
    # One that is given up leaves the channel as it was.
    endless = channel.unary_stream("/test.Calls/Count")(b"100000000", timeout=10)
    assert next(endless) == b"0"
    endless.cancel()
    assert channel.unary_unary("/test.Calls/Upper")(b"again", timeout=10) == b"AGAIN"
    print("done")


serve() if sys.argv[1] == "serve" else ask(*sys.argv[2:])
