"""How the clients here reach a server: in the open; or over TLS with a token, where the environment names, as it does for
`entente`, the authority to believe (ENTENTE_CA) and the file of the token (ENTENTE_TOKEN_FILE).
"""

import os
from pathlib import Path

import grpc


def connect(address, options=()):
    """A channel to an address, HOST:PORT."""
    ca, token = (os.environ.get(f"ENTENTE_{name}") for name in ("CA", "TOKEN_FILE"))
    if not ca:
        return grpc.insecure_channel(address, options)
    credentials = grpc.ssl_channel_credentials(Path(ca).read_bytes())
    if token:
        login = grpc.access_token_call_credentials(Path(token).read_text().strip())
        credentials = grpc.composite_channel_credentials(credentials, login)
    return grpc.secure_channel(address, credentials, options)
