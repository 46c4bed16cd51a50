"""A client with generated classes: `python tests/clients/stubs_client.py ADDR`.

The classes are generated from the repository's `proto` folder at each run, so they cannot be out of date.
"""

import importlib
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import grpc_tools
from google.protobuf.descriptor_pool import Default
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_tools import protoc

import checks
from channel import connect

PROTO = Path(__file__).resolve().parents[2] / "proto"
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"


def generate(folder):
    # `google/api` is not generated: its classes come with googleapis-common-protos, and one process
    # can hold them only once.
    files = sorted(str(path.relative_to(PROTO)) for path in PROTO.glob("entente/**/*.proto"))
    folders = [f"-I{PROTO}", f"-I{WELL_KNOWN}"]
    output = [f"--python_out={folder}", f"--grpc_python_out={folder}"]
    if protoc.main(["protoc", *folders, *output, *files]) != 0:
        sys.exit("the schema does not compile")


def message(name):
    """The class of a message; the schema has several files, and this finds it in whichever it stands."""
    package = checks.SERVICE.rpartition(".")[0]
    return GetMessageClass(Default().FindMessageTypeByName(f"{package}.{name}"))


@contextmanager
def connected(address):
    """A client with generated classes for a server at an address."""
    with tempfile.TemporaryDirectory() as folder, connect(address) as channel:
        generate(folder)
        sys.path.insert(0, folder)
        services = importlib.import_module("entente.trade.v1.trade_service_pb2_grpc")
        health = health_pb2_grpc.HealthStub(channel)

        def status(service):
            request = health_pb2.HealthCheckRequest(service=service)
            return health.Check(request, timeout=checks.PATIENCE).status

        yield checks.Client(
            trade=services.TradeServiceStub(channel),
            health=status,
            message=message,
        )


def main(address):
    with connected(address) as client:
        return checks.run(client, checks.STORIES)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: stubs_client.py ADDR")
    sys.exit(main(sys.argv[1]))
