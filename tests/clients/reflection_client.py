"""A client that knows only an address: `python tests/clients/reflection_client.py ADDR`.

It learns every service and message by reflection, as `buf curl` does.
"""

import sys
from types import SimpleNamespace

from google.protobuf import message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

import checks
from channel import connect

HEALTH = "grpc.health.v1.Health"


def stub(channel, service):
    """An object with a callable for each method of a service, like a generated stub."""
    methods = {}
    for method in service.methods:
        shape = {
            (False, False): channel.unary_unary,
            (False, True): channel.unary_stream,
            (True, False): channel.stream_unary,
            (True, True): channel.stream_stream,
        }[method.client_streaming, method.server_streaming]
        methods[method.name] = shape(
            f"/{service.full_name}/{method.name}",
            request_serializer=message_factory.GetMessageClass(method.input_type).SerializeToString,
            response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
        )
    return SimpleNamespace(**methods)


def main(address):
    with connect(address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        pool = DescriptorPool(database)

        def described(_client):
            """reflection names the services"""
            services = list(database.get_services())
            for name in (checks.SERVICE, HEALTH):
                assert name in services, f"{name} is not among {services}"

        def message(name):
            package = checks.SERVICE.rpartition(".")[0]
            return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))

        health_service = pool.FindServiceByName(HEALTH)
        health = stub(channel, health_service)
        health_request = message_factory.GetMessageClass(
            health_service.methods_by_name["Check"].input_type
        )
        client = checks.Client(
            trade=stub(channel, pool.FindServiceByName(checks.SERVICE)),
            health=lambda name: health.Check(
                health_request(service=name), timeout=checks.PATIENCE
            ).status,
            message=message,
        )
        return checks.run(client, [described, *checks.STORIES])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: reflection_client.py ADDR")
    sys.exit(main(sys.argv[1]))
